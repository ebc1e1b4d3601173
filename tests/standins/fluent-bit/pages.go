package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// The version that the chart's image tag says; the same in every answer.
const version = "5.1.1"

// The counters of the process, by metric and plugin.
type counters struct {
	sync.Mutex
	values   map[string]map[string]float64
	failures []time.Time
	started  time.Time
	storage  func() []gauge
}

// A value that is asked for when the page is: of a plugin, or of the process.
type gauge struct {
	metric, plugin string
	value          float64
}

var metrics = &counters{values: map[string]map[string]float64{}, started: time.Now()}

func (c *counters) add(metric, plugin string, count float64) {
	c.Lock()
	defer c.Unlock()
	if c.values[metric] == nil {
		c.values[metric] = map[string]float64{}
	}
	c.values[metric][plugin] += count
}

func (c *counters) failure() {
	c.Lock()
	defer c.Unlock()
	if len(c.failures) == 10_000 {
		c.failures = c.failures[1:]
	}
	c.failures = append(c.failures, time.Now())
}

// Every counter of a plugin exists from the start, at zero, as there.
func (c *counters) declare(kind, plugin string) {
	names := map[string][]string{
		"input":  {"bytes_total", "records_total", "files_opened_total", "files_closed_total", "files_rotated_total"},
		"filter": {"records_total", "drop_records_total"},
		"output": {
			"proc_records_total", "proc_bytes_total", "errors_total", "retries_total", "retries_failed_total",
			"dropped_records_total", "retried_records_total",
		},
	}
	for _, name := range names[kind] {
		c.add("fluentbit_"+kind+"_"+name, plugin, 0)
	}
}

// The page /api/v2/metrics/prometheus.
func (c *counters) page() string {
	gauges := c.storage()
	c.Lock()
	defer c.Unlock()
	var page strings.Builder
	hostname, _ := os.Hostname()
	scalar := func(kind, metric, labels string, value float64) {
		fmt.Fprintf(&page, "# HELP %s Served by a stand-in of the tests.\n# TYPE %s %s\n%s{%s} %v\n", metric, metric, kind, metric, labels, value)
	}
	host := fmt.Sprintf("hostname=%q", hostname)
	scalar("counter", "fluentbit_uptime", host, time.Since(c.started).Truncate(time.Second).Seconds())
	scalar("gauge", "fluentbit_process_start_time_seconds", host, float64(c.started.Unix()))
	scalar("gauge", "fluentbit_build_info", fmt.Sprintf("%s,version=%q,os=\"linux\"", host, version), float64(c.started.Unix()))
	for _, metric := range slices.Sorted(maps.Keys(c.values)) {
		fmt.Fprintf(&page, "# HELP %s Served by a stand-in of the tests.\n# TYPE %s counter\n", metric, metric)
		for _, plugin := range slices.Sorted(maps.Keys(c.values[metric])) {
			fmt.Fprintf(&page, "%s{name=%q} %v\n", metric, plugin, c.values[metric][plugin])
		}
	}
	for _, one := range gauges {
		labels := host
		if one.plugin != "" {
			labels = fmt.Sprintf("name=%q", one.plugin)
		}
		scalar("gauge", one.metric, labels, one.value)
	}
	return page.String()
}

// Whether the failures of the last period are no more than the configuration allows. Each failed delivery counts, also
// one that will be retried: readiness that survives this survives the real program's count, which is no larger.
func (c *counters) healthy(service section) bool {
	if !service.on("health_check", false) {
		return false
	}
	c.Lock()
	defer c.Unlock()
	period := time.Duration(service.number("hc_period", 60) * float64(time.Second))
	recent := 0
	for _, when := range c.failures {
		if time.Since(when) < period {
			recent++
		}
	}
	allowed := min(service.number("hc_errors_count", 5), service.number("hc_retry_failure_count", 5))
	return float64(recent) <= allowed
}

func serve(service section) error {
	if !service.on("http_server", false) {
		return nil
	}
	pages := http.NewServeMux()
	pages.HandleFunc("GET /{$}", func(answer http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(answer, `{"fluent-bit":{"version":%q,"edition":"Stand-in of the tests"}}`, version)
	})
	health := func(answer http.ResponseWriter, _ *http.Request) {
		if !service.on("health_check", false) {
			answer.WriteHeader(http.StatusNotFound)
		} else if metrics.healthy(service) {
			fmt.Fprintln(answer, "ok")
		} else {
			answer.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintln(answer, "error")
		}
	}
	page := func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		fmt.Fprint(answer, metrics.page())
	}
	for _, generation := range []string{"v1", "v2"} {
		pages.HandleFunc("GET /api/"+generation+"/health", health)
		pages.HandleFunc("GET /api/"+generation+"/metrics/prometheus", page)
	}
	address := service.text("http_listen", "0.0.0.0") + ":" + service.text("http_port", "2020")
	server := http.Server{Addr: address, Handler: pages, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	return server.ListenAndServe()
}
