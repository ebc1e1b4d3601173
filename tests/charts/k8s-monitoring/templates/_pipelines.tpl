{{- /* What collects of a feature, as the real chart calls and places it: in a module of its own, which is handed the destinations. */ -}}
{{- define "pipelines.clusterMetrics" -}}
declare "cluster_metrics" {
  argument "metrics_destinations" { }

  discovery.kubernetes "nodes" {
    role = "node"
  }

  prometheus.scrape "kubelet" {
    targets         = discovery.kubernetes.nodes.targets
    job_name        = "integrations/kubernetes/kubelet"
    scrape_interval = "60s"
    forward_to      = argument.metrics_destinations.value
  }
}

cluster_metrics "feature" {
  metrics_destinations = [
    {{- range .destinations }}
    prometheus.remote_write.{{ . | replace "-" "_" }}.receiver,
    {{- end }}
  ]
}
{{- end -}}

{{- define "pipelines.clusterEvents" -}}
declare "cluster_events" {
  argument "logs_destinations" { }

  loki.source.kubernetes_events "cluster_events" {
    job_name   = "integrations/kubernetes/eventhandler"
    forward_to = argument.logs_destinations.value
  }
}

cluster_events "feature" {
  logs_destinations = [
    {{- range .destinations }}
    loki.write.{{ . | replace "-" "_" }}.receiver,
    {{- end }}
  ]
}
{{- end -}}

{{- define "pipelines.selfReporting" -}}
prometheus.exporter.self "kubernetes_monitoring_telemetry" { }
{{- end -}}
