{{- /* The name of a collector's Alloy resource. */ -}}
{{- define "collector.fullname" -}}
{{- if contains .collector .root.Release.Name -}}
{{- .root.Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .root.Release.Name .collector | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* All values of a collector: defaults, presets, those of all collectors, its own. */ -}}
{{- define "collector.values" -}}
{{- $known := .root.Files.Get "presets.yaml" | fromYaml -}}
{{- $own := index .root.Values.collectors .collector -}}
{{- $presets := dict -}}
{{- range $own.presets -}}
{{- if not (hasKey $known.presets .) -}}
{{- fail (printf "The collector %q is using a preset that the stand-in does not know: %s" $.collector .) -}}
{{- end -}}
{{- $presets = merge $presets (index $known.presets .) -}}
{{- end -}}
{{- $values := mergeOverwrite $known.defaults $presets (deepCopy .root.Values.collectorCommon.alloy) (deepCopy $own) -}}
{{- if and (dig "alloy" "clustering" "enabled" false $values) (not (dig "alloy" "clustering" "name" "" $values)) -}}
{{- $_ := set $values.alloy.clustering "name" .collector -}}
{{- end -}}
{{- if not $values.nameOverride -}}
{{- $_ := set $values "nameOverride" .collector -}}
{{- end -}}
{{- toYaml $values -}}
{{- end -}}

{{- /* The collectors that are enabled. */ -}}
{{- define "collectors.enabled" -}}
{{- $enabled := list -}}
{{- range $name, $collector := .Values.collectors -}}
{{- if dig "enabled" true ($collector | default dict) -}}
{{- $enabled = append $enabled $name -}}
{{- end -}}
{{- end -}}
{{- if not $enabled -}}
{{- fail "At least one collector must be defined" -}}
{{- end -}}
{{- toYaml $enabled -}}
{{- end -}}

{{- /* The features that are enabled, each with its collector and the type of its destinations. */ -}}
{{- define "features" -}}
{{- $enabled := include "collectors.enabled" . | fromYamlArray -}}
{{- $features := list -}}
{{- range $feature, $type := dict "clusterMetrics" "prometheus" "clusterEvents" "loki" "selfReporting" "prometheus" -}}
{{- $values := index $.Values $feature -}}
{{- if $values.enabled -}}
{{- $collector := $values.collector | default (index $.Values.clusterMetrics "collector") | default (first $enabled) -}}
{{- if not (has $collector $enabled) -}}
{{- fail (printf "The feature %s uses the collector %q, which is not enabled" $feature $collector) -}}
{{- end -}}
{{- $features = append $features (dict "name" $feature "collector" $collector "type" $type "destinations" $values.destinations) -}}
{{- end -}}
{{- end -}}
{{- toYaml $features -}}
{{- end -}}

{{- /* The destinations of one collector's features. */ -}}
{{- define "collector.destinations" -}}
{{- $names := list -}}
{{- $used := false -}}
{{- range include "features" .root | fromYamlArray -}}
{{- $feature := . -}}
{{- if eq .collector $.collector -}}
{{- $used = true -}}
{{- range $name, $destination := $.root.Values.destinations -}}
{{- $chosen := or (not $feature.destinations) (has $name $feature.destinations) -}}
{{- if and $chosen (eq $destination.type $feature.type) (not $destination.disabled) -}}
{{- $names = append $names $name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $used -}}
{{- fail (printf "The collector %q is not used by any feature" .collector) -}}
{{- end -}}
{{- $names | uniq | sortAlpha | toYaml -}}
{{- end -}}
