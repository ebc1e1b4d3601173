// Stand-in for the image of k8s-monitoring's hooks, which runs a shell with kubectl: puts the chart's finalizer on the
// operator's Deployment, or removes the Alloy resources and then the finalizer.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"time"

	"starform.io/testbed/standins/kubernetes"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) < 3 {
		return errors.New("usage: toolbox add-finalizer|remove-alloys NAMESPACE DEPLOYMENT [ALLOY...]")
	}
	client, err := kubernetes.InCluster()
	if err != nil {
		return err
	}
	namespace := arguments[1]
	var finalizers any
	switch arguments[0] {
	case "add-finalizer":
		finalizers = []string{"k8s.grafana.com/finalizer"}
	case "remove-alloys":
		for _, name := range arguments[3:] {
			path := "/apis/collectors.grafana.com/v1alpha1/namespaces/" + namespace + "/alloys/" + name
			if err := remove(ctx, client, path); err != nil {
				return err
			}
		}
	default:
		return errors.New("no such command: " + arguments[0])
	}
	change := kubernetes.Object{"metadata": kubernetes.Object{"finalizers": finalizers}}
	_, err = client.Merge(ctx, "/apis/apps/v1/namespaces/"+namespace+"/deployments/"+arguments[2], change)
	return err
}

// Removes an object and waits until it is gone.
func remove(ctx context.Context, client *kubernetes.Client, path string) error {
	if err := client.Delete(ctx, path); err != nil {
		return err
	}
	for {
		_, err := client.Get(ctx, path)
		if kubernetes.NotFound(err) {
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		time.Sleep(time.Second)
	}
}
