{{- /* A credential of a destination: out of the Secret that it names. */ -}}
{{- define "destination.credential" -}}
{{- $auth := .destination.auth | default dict -}}
{{- if index $auth (printf "%sFrom" .kind) -}}
{{- index $auth (printf "%sFrom" .kind) -}}
{{- else if index $auth .kind -}}
{{- fail (printf "destination %s: the stand-in takes no %s in the values" .name .kind) -}}
{{- else -}}
{{- printf "convert.nonsensitive(remote.kubernetes.secret.%s.data[%q])" (.name | replace "-" "_") (index $auth (printf "%sKey" .kind) | default .kind) -}}
{{- end -}}
{{- end -}}

{{- define "destination.url" -}}
{{- if .urlFrom }}{{ .urlFrom }}{{ else }}{{ .url | quote }}{{ end -}}
{{- end -}}

{{- define "destination.labels" -}}
{{- range $label, $value := .destination.extraLabels }}
{{ printf "%q = %q," $label (tpl (toString $value) $.root) }}
{{- end }}
{{- range $label, $source := .destination.extraLabelsFrom }}
{{ printf "%q = %s," $label $source }}
{{- end }}
{{- end -}}

{{- /* The components of a destination, in Alloy's language, with the names that the real chart gives them. */ -}}
{{- define "destination.components" -}}
{{- $name := .name | replace "-" "_" -}}
{{- $cluster := .root.Values.cluster.name | quote -}}
{{- $secret := .destination.secret | default dict }}
{{- with $secret.name }}
remote.kubernetes.secret "{{ $name }}" {
  name      = {{ . | quote }}
  namespace = {{ $secret.namespace | default $.root.Release.Namespace | quote }}
}
{{- end }}
{{- $username := include "destination.credential" (merge (dict "kind" "username") .) }}
{{- $password := include "destination.credential" (merge (dict "kind" "password") .) }}
{{ eq .destination.type "prometheus" | ternary "prometheus.remote_write" "loki.write" }} "{{ $name }}" {
  endpoint {
    url = {{ include "destination.url" .destination }}
    basic_auth {
      username = {{ $username }}
      password = {{ $password }}
    }
  }
  external_labels = {
    {{- range .destination.clusterLabels | default (list "cluster" "k8s.cluster.name") }}
    {{ . | replace "." "_" | quote }} = {{ $cluster }},
    {{- end }}
    {{- include "destination.labels" . | nindent 4 }}
  }
}
{{- end -}}
