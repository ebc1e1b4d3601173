// Stand-in for Grafana Alloy on the testbed, where the real program is not to be had. It reads the configuration that
// the operator mounts, and serves readiness and a metrics page with the names and labels that Alloy documents for the
// destinations in it. It scrapes nothing and sends nothing: the counters grow by the clock. The environment variable
// TESTBED_DELIVERY says how the page pretends that delivery goes: `failing` (every sample fails), `stuck` (nothing is
// sent, what is pending grows), else well.
package main

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	version = "v1.18.1"
	// So many samples and log entries a second, to each destination.
	pace = 100
)

var (
	component = regexp.MustCompile(`(?m)^\s*([a-z0-9_.]+) "([^"]+)" \{`)
	address   = regexp.MustCompile(`(?m)^\s*url\s*=\s*"([^"]+)"`)
	started   = time.Now()
)

// A component of the configuration that delivers something.
type destination struct{ kind, name, url string }

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatalf("level=error msg=%q", err)
	}
}

func run(arguments []string) error {
	if len(arguments) < 2 || arguments[0] != "run" {
		return errors.New("usage: alloy run FILE [--server.http.listen-addr=ADDRESS] ...")
	}
	listen := "127.0.0.1:12345"
	for _, argument := range arguments[2:] {
		name, value, _ := strings.Cut(argument, "=")
		switch name {
		case "--server.http.listen-addr":
			listen = value
		case "--storage.path":
			// As there: what cannot be written is an error at the start.
			if err := os.MkdirAll(value, 0o700); err != nil {
				return err
			}
		case "--server.http.ui-path-prefix", "--disable-reporting", "--cluster.enabled", "--cluster.join-addresses",
			"--cluster.name", "--stability.level", "--feature.prometheus.metric-validation-scheme":
		default:
			return fmt.Errorf("the stand-in has no option %s", name)
		}
	}
	text, err := os.ReadFile(arguments[1])
	if err != nil {
		return err
	}
	destinations, components := read(string(text))
	if components == 0 {
		return fmt.Errorf("%s has no component", arguments[1])
	}
	pages := http.NewServeMux()
	for _, path := range []string{"GET /-/ready", "GET /-/healthy"} {
		pages.HandleFunc(path, func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprintln(answer, "Alloy is ready.") })
	}
	pages.HandleFunc("GET /metrics", func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		fmt.Fprint(answer, page(destinations, components))
	})
	server := http.Server{Addr: listen, Handler: pages, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		server.Close()
	}()
	log.Printf("level=info msg=%q destinations=%d", "stand-in for Alloy "+version, len(destinations))
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// The destinations of a configuration, and how many components it has.
func read(text string) ([]destination, int) {
	var destinations []destination
	found := component.FindAllStringSubmatchIndex(text, -1)
	for index, at := range found {
		end := len(text)
		if index+1 < len(found) {
			end = found[index+1][0]
		}
		kind := text[at[2]:at[3]]
		if kind != "prometheus.remote_write" && kind != "loki.write" {
			continue
		}
		one := destination{kind: kind, name: text[at[4]:at[5]]}
		if match := address.FindStringSubmatch(text[at[0]:end]); match != nil {
			one.url = match[1]
		}
		destinations = append(destinations, one)
	}
	return destinations, len(found)
}

func page(destinations []destination, components int) string {
	var page strings.Builder
	metric := func(kind, name, labels string, value float64) {
		if labels != "" {
			labels = "{" + labels + "}"
		}
		fmt.Fprintf(&page, "# HELP %s Served by a stand-in of the tests: it grows by the clock, nothing is sent.\n# TYPE %s %s\n%s%s %v\n", name, name, kind, name, labels, value)
	}
	metric("gauge", "process_start_time_seconds", "", float64(started.Unix()))
	metric("gauge", "alloy_build_info", fmt.Sprintf("branch=\"HEAD\",goversion=\"go1.26\",version=%q", version), 1)
	metric("gauge", "alloy_config_last_load_successful", "config_path=\"/etc/alloy/config.alloy\"", 1)
	metric("gauge", "alloy_config_last_load_success_timestamp_seconds", "config_path=\"/etc/alloy/config.alloy\"", float64(started.Unix()))
	metric("gauge", "alloy_component_controller_running_components", "controller_id=\"\",controller_path=\"/\",health_type=\"healthy\"", float64(components))
	produced := float64(int(time.Since(started).Seconds()) * pace)
	now := float64(time.Now().Unix())
	// Samples sent count each try; what failed was tried, and its sending ended.
	tried, delivered, failed, pending, sent := produced, produced, 0.0, 0.0, now
	switch os.Getenv("TESTBED_DELIVERY") {
	case "failing":
		delivered, failed = 0, produced
	case "stuck":
		tried, delivered, pending, sent = pace, 0, produced, float64(started.Unix())
	}
	for _, one := range destinations {
		component := fmt.Sprintf("component_id=\"%s.%s\",component_path=\"/\"", one.kind, one.name)
		if one.kind == "loki.write" {
			host := one.url
			if parsed, err := url.Parse(one.url); err == nil {
				host = parsed.Host
			}
			client := component + fmt.Sprintf(",host=%q,tenant=\"\"", host)
			metric("counter", "loki_write_sent_entries_total", client, delivered)
			metric("counter", "loki_write_dropped_entries_total", client+",reason=\"ingester_error\"", failed)
			metric("counter", "loki_write_batch_retries_total", client, failed/pace)
			continue
		}
		queue := component + fmt.Sprintf(",remote_name=%q,url=%q", one.name, one.url)
		metric("counter", "prometheus_remote_write_wal_samples_appended_total", component, produced)
		metric("counter", "prometheus_remote_storage_samples_total", queue, tried)
		metric("counter", "prometheus_remote_storage_bytes_total", queue, 40*(delivered+failed))
		metric("counter", "prometheus_remote_storage_samples_failed_total", queue, failed)
		metric("counter", "prometheus_remote_storage_samples_dropped_total", queue+",reason=\"too_old\"", 0)
		metric("counter", "prometheus_remote_storage_samples_retried_total", queue, 0)
		metric("gauge", "prometheus_remote_storage_samples_pending", queue, pending)
		metric("gauge", "prometheus_remote_storage_shards", queue, 1)
		metric("gauge", "prometheus_remote_storage_shards_max", queue, 50)
		metric("gauge", "prometheus_remote_storage_shards_desired", queue, 1)
		metric("gauge", "prometheus_remote_storage_queue_highest_timestamp_seconds", queue, now)
		metric("gauge", "prometheus_remote_storage_queue_highest_sent_timestamp_seconds", queue, sent)
		metric("gauge", "prometheus_remote_storage_highest_timestamp_in_seconds", component, now)
	}
	return page.String()
}
