package main

import (
	"fmt"

	"starform.io/testbed/standins/kubernetes"
)

// The image that the operator's own copy of the Alloy chart names.
const (
	alloyVersion = "v1.18.1"
	group        = "collectors.grafana.com/v1alpha1"
	port         = 12345
)

type object = kubernetes.Object

// What is made of one Alloy resource: paths of the API, and the objects there, in the order in which they are made.
type made struct {
	path string
	body object
}

// The objects of the Alloy chart for the values in the resource's spec, as far as the stand-in knows them. Without the
// sidecar that has Alloy read its configuration anew, and without its permissions: the stand-in for Alloy asks for nothing.
func objects(alloy object) ([]made, error) {
	spec := kubernetes.Part(alloy, "spec")
	namespace, name := kubernetes.Text(alloy, "metadata", "namespace"), kubernetes.Text(alloy, "metadata", "name")
	kind, plural, err := workloadKind(spec)
	if err != nil {
		return nil, err
	}
	tag := kubernetes.Text(spec, "image", "tag")
	if tag == "" {
		tag = alloyVersion
	}
	chosen := object{
		"app.kubernetes.io/name":     kubernetes.Text(spec, "nameOverride"),
		"app.kubernetes.io/instance": name,
	}
	metadata := func() object {
		return object{
			"name": name, "namespace": namespace,
			"labels": merged(chosen, object{
				"app.kubernetes.io/version": tag, "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/part-of": "alloy",
			}, kubernetes.Part(spec, "controller", "extraLabels")),
			// What an operator made of Helm charts makes belongs to the resource.
			"ownerReferences": []object{{
				"apiVersion": group, "kind": "Alloy", "name": name, "controller": true, "blockOwnerDeletion": true,
				"uid": kubernetes.Text(alloy, "metadata", "uid"),
			}},
		}
	}
	core, apps := "/api/v1/namespaces/"+namespace+"/", "/apis/apps/v1/namespaces/"+namespace+"/"
	all := []made{
		{core + "serviceaccounts/" + name, object{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata()}},
		{core + "services/" + name, service(metadata(), chosen, false)},
	}
	if kubernetes.Flag(spec, false, "alloy", "clustering", "enabled") {
		headless := metadata()
		headless["name"] = name + "-cluster"
		all = append(all, made{core + "services/" + name + "-cluster", service(headless, chosen, true)})
	}
	if budget := kubernetes.Part(spec, "controller", "podDisruptionBudget"); kubernetes.Flag(budget, false, "enabled") {
		limits := object{"selector": object{"matchLabels": chosen}}
		for _, key := range []string{"minAvailable", "maxUnavailable"} {
			if value := budget[key]; value != nil {
				limits[key] = value
			}
		}
		all = append(all, made{
			"/apis/policy/v1/namespaces/" + namespace + "/poddisruptionbudgets/" + name,
			object{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(), "spec": limits},
		})
	}
	workload := object{"apiVersion": "apps/v1", "kind": kind, "metadata": metadata(), "spec": workloadSpec(kind, name, spec, chosen, tag)}
	return append(all, made{apps + plural + "/" + name, workload}), nil
}

func workloadKind(spec object) (kind, plural string, err error) {
	switch chosen := kubernetes.Text(spec, "controller", "type"); chosen {
	case "daemonset", "":
		return "DaemonSet", "daemonsets", nil
	case "deployment":
		return "Deployment", "deployments", nil
	case "statefulset":
		return "StatefulSet", "statefulsets", nil
	default:
		return "", "", fmt.Errorf("controller.type `%s` is none of daemonset, deployment, statefulset", chosen)
	}
}

func service(metadata, selector object, headless bool) object {
	portName := "http-metrics"
	spec := object{"type": "ClusterIP", "selector": selector}
	if headless {
		portName = "http"
		spec["clusterIP"], spec["publishNotReadyAddresses"] = "None", true
	}
	spec["ports"] = []object{{"name": portName, "port": port, "targetPort": port, "protocol": "TCP"}}
	return object{"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
}

func workloadSpec(kind, name string, values, chosen object, tag string) object {
	controller := kubernetes.Part(values, "controller")
	pod := object{
		"metadata": object{
			"labels":      merged(chosen, kubernetes.Part(controller, "podLabels")),
			"annotations": merged(object{"kubectl.kubernetes.io/default-container": "alloy"}, kubernetes.Part(controller, "podAnnotations")),
		},
		"spec": podSpec(name, values, tag),
	}
	spec := object{
		"selector":        object{"matchLabels": chosen},
		"template":        pod,
		"minReadySeconds": kubernetes.Number(controller, 10, "minReadySeconds"),
	}
	if kind != "DaemonSet" {
		spec["replicas"] = kubernetes.Number(controller, 1, "replicas")
	}
	strategy := "updateStrategy"
	switch kind {
	case "StatefulSet":
		spec["serviceName"] = name
		if kubernetes.Flag(controller, true, "parallelRollout") {
			spec["podManagementPolicy"] = "Parallel"
		}
		if claims := kubernetes.List(controller, "volumeClaimTemplates"); len(claims) > 0 {
			spec["volumeClaimTemplates"] = claims
		}
	case "Deployment":
		strategy = "strategy"
	}
	if update := kubernetes.Part(controller, "updateStrategy"); len(update) > 0 {
		spec[strategy] = update
	}
	return spec
}

func podSpec(name string, values object, tag string) object {
	alloy, controller := kubernetes.Part(values, "alloy"), kubernetes.Part(values, "controller")
	arguments := []any{
		"run", "/etc/alloy/config.alloy",
		"--storage.path=" + text(alloy, "/tmp/alloy", "storagePath"),
		fmt.Sprintf("--server.http.listen-addr=0.0.0.0:%d", port),
		"--server.http.ui-path-prefix=/",
	}
	if !kubernetes.Flag(alloy, true, "enableReporting") {
		arguments = append(arguments, "--disable-reporting")
	}
	if kubernetes.Flag(alloy, false, "clustering", "enabled") {
		arguments = append(arguments, "--cluster.enabled=true", "--cluster.join-addresses="+name+"-cluster",
			"--cluster.name="+kubernetes.Text(alloy, "clustering", "name"))
	}
	arguments = append(arguments, "--stability.level="+text(alloy, "generally-available", "stabilityLevel"))
	node := object{"fieldRef": object{"fieldPath": "spec.nodeName"}}
	environment := append([]any{
		object{"name": "ALLOY_DEPLOY_MODE", "value": "helm"},
		object{"name": "HOSTNAME", "valueFrom": node},
		object{"name": "K8S_NODE_NAME", "valueFrom": node},
	}, kubernetes.List(alloy, "extraEnv")...)
	container := object{
		"name":         "alloy",
		"image":        text(values, "docker.io", "image", "registry") + "/" + text(values, "grafana/alloy", "image", "repository") + ":" + tag,
		"args":         append(arguments, kubernetes.List(alloy, "extraArgs")...),
		"env":          environment,
		"ports":        []object{{"name": "http-metrics", "containerPort": port}},
		"volumeMounts": append([]any{object{"name": "config", "mountPath": "/etc/alloy"}}, kubernetes.List(alloy, "mounts", "extra")...),
		"readinessProbe": object{
			"httpGet":             object{"path": "/-/ready", "port": port, "scheme": "HTTP"},
			"initialDelaySeconds": kubernetes.Number(alloy, 10, "initialDelaySeconds"),
		},
	}
	for _, key := range []string{"livenessProbe", "resources", "lifecycle", "securityContext"} {
		if part := kubernetes.Part(alloy, key); len(part) > 0 {
			container[key] = part
		}
	}
	if sources := kubernetes.List(alloy, "envFrom"); len(sources) > 0 {
		container["envFrom"] = sources
	}
	spec := object{
		"serviceAccountName": name,
		"containers":         []object{container},
		"volumes":            append([]any{object{"name": "config", "configMap": object{"name": name}}}, kubernetes.List(controller, "volumes", "extra")...),
	}
	if context := kubernetes.Part(values, "global", "podSecurityContext"); len(context) > 0 {
		spec["securityContext"] = context
	}
	for _, key := range []string{"affinity", "nodeSelector", "tolerations", "topologySpreadConstraints", "priorityClassName", "terminationGracePeriodSeconds", "initContainers"} {
		if value, set := controller[key]; set && value != nil && value != "" {
			spec[key] = value
		}
	}
	return spec
}

func text(from object, otherwise string, keys ...string) string {
	if found := kubernetes.Text(from, keys...); found != "" {
		return found
	}
	return otherwise
}

func merged(parts ...object) object {
	all := object{}
	for _, part := range parts {
		for key, value := range part {
			all[key] = value
		}
	}
	return all
}
