package main

import (
	"context"
	"fmt"
	"log"
	"regexp"
	"strings"
	"time"

	"starform.io/testbed/standins/kubernetes"
)

const (
	// More pods than a node has; when it is full, everything is asked anew.
	mostPods = 512
	// A pod that the API server does not answer for is asked about again after this.
	askAgain = 5 * time.Second
)

var fileName = regexp.MustCompile(`^([^_]+)_([^_]+)_(.+)-([0-9a-f]{64})\.log$`)

// The filter kubernetes: what the file's name and the API server say about the pod.
type metadata struct {
	section section
	prefix  string
	lasts   time.Duration
	client  *kubernetes.Client
	pods    map[string]described
}

type described struct {
	pod   kubernetes.Object
	asked time.Time
}

func newMetadata(s section) (*metadata, error) {
	var client *kubernetes.Client
	// By the file's name alone nobody is asked.
	if !s.on("use_tag_for_meta", false) {
		var err error
		if client, err = kubernetes.InCluster(); err != nil {
			return nil, fmt.Errorf("[filter:kubernetes] %w", err)
		}
	}
	prefix := s.text("kube_tag_prefix", "kube.var.log.containers.")
	return &metadata{
		section: s,
		prefix:  prefix,
		lasts:   time.Duration(s.number("kube_meta_cache_ttl", 0) * float64(time.Second)),
		client:  client,
		pods:    map[string]described{},
	}, nil
}

func (m *metadata) apply(r *record) bool {
	parts := fileName.FindStringSubmatch(strings.TrimPrefix(r.tag, m.prefix))
	if parts == nil {
		return true
	}
	fields := map[string]any{
		"pod_name": parts[1], "namespace_name": parts[2], "container_name": parts[3], "docker_id": parts[4],
	}
	if m.client == nil {
		r.fields["kubernetes"] = fields
		return true
	}
	pod := m.pod(parts[2], parts[1])
	// Without an answer the real one touches nothing (plugins/filter_kubernetes/kubernetes.c, `cb_kube_filter`).
	if pod == nil {
		return true
	}
	annotations := kubernetes.Part(pod, "metadata", "annotations")
	if m.section.on("k8s-logging.exclude", false) && annotations["fluentbit.io/exclude"] == "true" {
		return false
	}
	if m.section.on("merge_log", false) {
		mergeLog(r, m.section.text("merge_log_key", ""), m.section.on("keep_log", true))
	}
	fields["pod_id"] = kubernetes.Text(pod, "metadata", "uid")
	fields["host"] = kubernetes.Text(pod, "spec", "nodeName")
	fields["pod_ip"] = kubernetes.Text(pod, "status", "podIP")
	fields["container_image"] = image(pod, parts[3])
	if labels := kubernetes.Part(pod, "metadata", "labels"); m.section.on("labels", true) && len(labels) > 0 {
		fields["labels"] = labels
	}
	if m.section.on("annotations", true) && len(annotations) > 0 {
		fields["annotations"] = annotations
	}
	r.fields["kubernetes"] = fields
	return true
}

func image(pod kubernetes.Object, container string) string {
	for _, one := range kubernetes.List(pod, "spec", "containers") {
		if object, ok := one.(kubernetes.Object); ok && object["name"] == container {
			return kubernetes.Text(object, "image")
		}
	}
	return ""
}

// The pod as the API server has it; nil while it has none. What was seen is kept for Kube_Meta_Cache_TTL, without it for
// ever, and no longer.
func (m *metadata) pod(namespace, name string) kubernetes.Object {
	key := namespace + "/" + name
	seen, found := m.pods[key]
	fresh := seen.pod != nil && (m.lasts == 0 || time.Since(seen.asked) < m.lasts)
	if found && (fresh || time.Since(seen.asked) < askAgain) {
		return seen.pod
	}
	if len(m.pods) >= mostPods {
		clear(m.pods)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	pod, err := m.client.Get(ctx, fmt.Sprintf("/api/v1/namespaces/%s/pods/%s", namespace, name))
	if err != nil {
		log.Printf("[warn] [filter:kubernetes] pod %s: %v", key, err)
		pod = nil
	}
	m.pods[key] = described{pod, time.Now()}
	return pod
}
