{{- /* The flags, as a map of lists: those of remoteWrite by their position, then what extraArgs says instead. */ -}}
{{- define "vmagent.flags" -}}
{{- $flags := dict
  "promscrape.config" (list "/config/scrape/scrape.yml")
  "remoteWrite.tmpDataPath" (list "/tmpData") -}}
{{- if not .Values.remoteWrite -}}
{{- fail "Please define at least one remoteWrite" -}}
{{- end -}}
{{- range $index, $write := .Values.remoteWrite -}}
{{- if not $write.url -}}
{{- fail (printf "`url` is not set for `remoteWrite` idx %d" $index) -}}
{{- end -}}
{{- range $key, $value := $write -}}
{{- $flag := printf "remoteWrite.%s" $key -}}
{{- if or (kindIs "slice" $value) (kindIs "map" $value) -}}
{{- $value = printf "/config/rw/%d-%s.yaml" $index $key -}}
{{- end -}}
{{- $values := index $flags $flag | default list -}}
{{- range until (int (sub $index (len $values))) -}}
{{- $values = append $values "" -}}
{{- end -}}
{{- $_ := set $flags $flag (append $values $value) -}}
{{- end -}}
{{- end -}}
{{- if not .Values.extraArgs.httpListenAddr -}}
{{- range .Values.http -}}
{{- $_ := set $flags "httpListenAddr" (append (index $flags "httpListenAddr" | default list) .value) -}}
{{- end -}}
{{- end -}}
{{- range $flag, $value := .Values.extraArgs -}}
{{- $_ := set $flags $flag (kindIs "slice" $value | ternary $value (list $value)) -}}
{{- end -}}
{{- if and (eq .Values.mode "statefulSet") .Values.statefulSet.clusterMode -}}
{{- $_ := set $flags "promscrape.cluster.membersCount" (list .Values.replicaCount) -}}
{{- $_ := set $flags "promscrape.cluster.replicationFactor" (list .Values.statefulSet.replicationFactor) -}}
{{- $_ := set $flags "promscrape.cluster.memberNum" (list "$(POD_NAME)") -}}
{{- end -}}
{{- toYaml $flags -}}
{{- end -}}

{{- define "vmagent.arguments" -}}
{{- $arguments := list -}}
{{- range $flag, $values := include "vmagent.flags" . | fromYaml -}}
{{- range $value := $values -}}
{{- if eq (toString $value) "true" -}}
{{- $arguments = append $arguments (printf "--%s" $flag) -}}
{{- else -}}
{{- $arguments = append $arguments (printf "--%s=%s" $flag (toString $value)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $arguments -}}
{{- end -}}

{{- /* The files of /config/rw: what remoteWrite gives as a list or a map. */ -}}
{{- define "vmagent.writeFiles" -}}
{{- $files := dict -}}
{{- range $index, $write := .Values.remoteWrite -}}
{{- range $key, $value := $write -}}
{{- if or (kindIs "slice" $value) (kindIs "map" $value) -}}
{{- $content := toYaml $value -}}
{{- if $.Values.config.useTpl -}}
{{- $content = tpl $content $ | trim -}}
{{- end -}}
{{- $_ := set $files (printf "%d-%s.yaml" $index $key) $content -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with $files -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}
