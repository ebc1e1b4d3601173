// Stand-in for Grafana's Alloy operator on the testbed, where the real program is not to be had. It makes the workload,
// Services and ServiceAccount of every Alloy resource, says in its status how that went, and removes what another
// `controller.type` left. What it made goes with the resource. It asks every other second instead of watching.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"starform.io/testbed/standins/kubernetes"
)

const (
	manager = "alloy-operator"
	period  = 2 * time.Second
)

// How many reconciliations there were, by their result, and whether the last look at the resources succeeded.
var (
	succeeded, failed atomic.Int64
	ready             atomic.Bool
)

func main() {
	health := flag.String("health-probe-bind-address", ":8081", "")
	metrics := flag.String("metrics-bind-address", ":8082", "")
	flag.Bool("leader-elect", false, "there is one replica: nothing is elected")
	flag.String("leader-election-id", "", "")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *health, *metrics); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, health, metrics string) error {
	client, err := kubernetes.InCluster()
	if err != nil {
		return err
	}
	failures := make(chan error, 2)
	go func() { failures <- serve(health, probes()) }()
	go func() { failures <- serve(metrics, page()) }()
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		err := reconcileAll(ctx, client)
		ready.Store(err == nil)
		if err != nil && ctx.Err() == nil {
			log.Printf("error: %v", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-failures:
			return err
		case <-ticker.C:
		}
	}
}

func reconcileAll(ctx context.Context, client *kubernetes.Client) error {
	var problems []error
	for _, base := range bases() {
		alloys, err := client.Items(ctx, base)
		if err != nil {
			return err
		}
		for _, alloy := range alloys {
			if kubernetes.Text(alloy, "metadata", "deletionTimestamp") != "" {
				continue
			}
			err := reconcile(ctx, client, alloy)
			if err == nil {
				succeeded.Add(1)
			} else {
				failed.Add(1)
				problems = append(problems, fmt.Errorf("%s: %w", kubernetes.Text(alloy, "metadata", "name"), err))
			}
			if err := report(ctx, client, alloy, err); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return errors.Join(problems...)
}

func bases() []string {
	const root = "/apis/collectors.grafana.com/v1alpha1/"
	watched := os.Getenv("WATCH_NAMESPACE")
	if watched == "" {
		return []string{root + "alloys"}
	}
	var all []string
	for _, namespace := range strings.Split(watched, ",") {
		all = append(all, root+"namespaces/"+namespace+"/alloys")
	}
	return all
}

func reconcile(ctx context.Context, client *kubernetes.Client, alloy object) error {
	wanted, err := objects(alloy)
	if err != nil {
		return err
	}
	for _, one := range wanted {
		if _, err := client.Apply(ctx, one.path, manager, one.body); err != nil {
			return err
		}
	}
	// The workload of another kind, from before the type was changed.
	workload := wanted[len(wanted)-1].path
	name := kubernetes.Text(alloy, "metadata", "name")
	for _, plural := range []string{"daemonsets", "deployments", "statefulsets"} {
		path := "/apis/apps/v1/namespaces/" + kubernetes.Text(alloy, "metadata", "namespace") + "/" + plural + "/" + name
		if path == workload {
			continue
		}
		other, err := client.Get(ctx, path)
		if kubernetes.NotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		if owned(other, alloy) {
			if err := client.Delete(ctx, path); err != nil {
				return err
			}
		}
	}
	return nil
}

func owned(one, alloy object) bool {
	for _, reference := range kubernetes.List(one, "metadata", "ownerReferences") {
		if owner, ok := reference.(object); ok && owner["uid"] == kubernetes.Part(alloy, "metadata")["uid"] {
			return true
		}
	}
	return false
}

// The conditions of an operator made of Helm charts. Written when they change.
func report(ctx context.Context, client *kubernetes.Client, alloy object, problem error) error {
	kind, status, reason, message := "Deployed", "True", "InstallSuccessful", ""
	if problem != nil {
		kind, reason, message = "ReleaseFailed", "ReconcileError", problem.Error()
	}
	for _, one := range kubernetes.List(alloy, "status", "conditions") {
		if condition, ok := one.(object); ok && condition["type"] == kind && condition["message"] == message {
			return nil
		}
	}
	now := time.Now().UTC().Format(time.RFC3339)
	conditions := []object{
		{"type": "Initialized", "status": "True", "lastTransitionTime": now},
		{"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": now},
	}
	change := object{"status": object{"conditions": conditions}}
	if problem == nil {
		change["status"].(object)["deployedRelease"] = object{"name": kubernetes.Text(alloy, "metadata", "name")}
	}
	path := "/apis/collectors.grafana.com/v1alpha1/namespaces/" + kubernetes.Text(alloy, "metadata", "namespace") +
		"/alloys/" + kubernetes.Text(alloy, "metadata", "name") + "/status"
	_, err := client.Merge(ctx, path, change)
	if kubernetes.NotFound(err) {
		return nil
	}
	return err
}

func probes() *http.ServeMux {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /healthz", func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprint(answer, "ok") })
	pages.HandleFunc("GET /readyz", func(answer http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	return pages
}

func page() *http.ServeMux {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /metrics", func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		fmt.Fprintf(answer, "# HELP controller_runtime_reconcile_total Counted by a stand-in of the tests.\n"+
			"# TYPE controller_runtime_reconcile_total counter\n"+
			"controller_runtime_reconcile_total{controller=\"alloy-controller\",result=\"success\"} %d\n"+
			"controller_runtime_reconcile_total{controller=\"alloy-controller\",result=\"error\"} %d\n",
			succeeded.Load(), failed.Load())
	})
	return pages
}

func serve(address string, pages http.Handler) error {
	server := http.Server{Addr: address, Handler: pages, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	return server.ListenAndServe()
}
