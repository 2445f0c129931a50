{{- define "lazaret.labels" -}}
app.kubernetes.io/name: lazaret
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "lazaret.image" -}}
{{ .repository }}:{{ .tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "lazaret.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- /* Workers shut their children in with seccomp and landlock, which needs no privilege beyond these. */ -}}
{{- define "lazaret.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "lazaret.environment" -}}
{{- if .root.Values.cache.enabled }}
- name: LAZARET_CACHE
  valueFrom: { secretKeyRef: { name: {{ .root.Values.cache.urlSecret.name }}, key: {{ .root.Values.cache.urlSecret.key }} } }
- name: LAZARET_CACHE_KEY
  valueFrom: { secretKeyRef: { name: {{ .root.Values.cache.macSecret.name }}, key: {{ .root.Values.cache.macSecret.key }} } }
{{- else }}
- { name: LAZARET_CACHE, value: "none:" }
{{- end }}
{{- with .root.Values.identity.keySecret }}
- name: LAZARET_IDENTITY_KEY
  valueFrom: { secretKeyRef: { name: {{ .name }}, key: {{ .key }} } }
{{- end }}
- { name: LAZARET_STORE, value: {{ .root.Values.store.url | quote }} }
- { name: AWS_REGION, value: {{ .root.Values.store.region | quote }} }
{{- with .root.Values.store.endpoint }}
- { name: AWS_ENDPOINT_URL_S3, value: {{ . | quote }} }
{{- end }}
{{- with .storeSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: { secretKeyRef: { name: {{ . }}, key: AWS_ACCESS_KEY_ID } }
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ . }}, key: AWS_SECRET_ACCESS_KEY } }
{{- end }}
{{- if .root.Values.registry.credentialsSecret }}
- { name: DOCKER_CONFIG, value: /etc/lazaret/registry }
{{- end }}
- { name: LAZARET_LOG, value: {{ .root.Values.telemetry.log | quote }} }
- { name: LAZARET_LOG_FORMAT, value: json }
{{- with .root.Values.telemetry.otlpEndpoint }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }} }
{{- end }}
{{- end -}}

{{- define "lazaret.registryMount" -}}
{{- if .Values.registry.credentialsSecret }}
- { name: registry, mountPath: /etc/lazaret/registry, readOnly: true }
{{- end }}
{{- end -}}

{{- define "lazaret.registryVolume" -}}
{{- with .Values.registry.credentialsSecret }}
- name: registry
  secret: { secretName: {{ . }}, items: [{ key: .dockerconfigjson, path: config.json }] }
{{- end }}
{{- end -}}
