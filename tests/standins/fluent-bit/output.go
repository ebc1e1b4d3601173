package main

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// An output of the plugin http, in the format json.
type output struct {
	section section
	name    string
	url     string
	client  http.Client
	buffer  *buffer
	limit   float64
	base    time.Duration
	ceiling time.Duration
}

func newOutput(number int, s, service section) (*output, error) {
	o := &output{
		section: s,
		name:    s.text("alias", fmt.Sprintf("http.%d", number)),
		limit:   retryLimit(s.text("retry_limit", "1")),
		base:    time.Duration(service.number("scheduler.base", 5) * float64(time.Second)),
		ceiling: time.Duration(service.number("scheduler.cap", 2000) * float64(time.Second)),
	}
	if format := s.text("format", "msgpack"); format != "json" {
		return nil, fmt.Errorf("%s: the stand-in writes json alone, not %s", o.name, format)
	}
	scheme := "http"
	if s.on("tls", false) {
		scheme = "https"
		authority, err := trust(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		o.client.Transport = &http.Transport{TLSClientConfig: authority, MaxIdleConnsPerHost: 2}
	}
	o.client.Timeout = 20 * time.Second
	o.url = scheme + "://" + net.JoinHostPort(s.text("host", "127.0.0.1"), s.text("port", "80")) + s.text("uri", "/")
	folder := service.text("storage.path", "")
	if folder == "" {
		return nil, fmt.Errorf("%s: the stand-in needs storage.path", o.name)
	}
	var err error
	o.buffer, err = newBuffer(folder, o.name, s.size("storage.total_limit_size", 0))
	return o, err
}

// How often a chunk is tried again; below zero without end.
func retryLimit(text string) float64 {
	switch strings.ToLower(text) {
	case "false", "no_limits":
		return -1
	case "no_retries":
		return 0
	}
	return max(1, section{properties: []property{{"limit", text}}}.number("limit", 1))
}

func trust(s section) (*tls.Config, error) {
	settings := &tls.Config{InsecureSkipVerify: !s.on("tls.verify", true), ServerName: s.text("tls.vhost", "")}
	path := s.text("tls.ca_file", "")
	if path == "" {
		return settings, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	settings.RootCAs = x509.NewCertPool()
	if !settings.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return settings, nil
}

// Delivers chunks for as long as the process lives.
func (o *output) run() {
	for {
		one, records := o.buffer.take()
		if one == nil {
			time.Sleep(pollInterval)
			continue
		}
		size, retry, err := o.send(records)
		if err == nil {
			o.buffer.done(one)
			metrics.add("fluentbit_output_proc_records_total", o.name, float64(len(records)))
			metrics.add("fluentbit_output_proc_bytes_total", o.name, float64(size))
			continue
		}
		metrics.failure()
		if !retry || (o.limit >= 0 && float64(one.attempts) >= o.limit) {
			o.giveUp(one, retry, err)
			continue
		}
		metrics.add("fluentbit_output_retries_total", o.name, 1)
		metrics.add("fluentbit_output_retried_records_total", o.name, float64(len(records)))
		wait := o.buffer.again(one, o.base, o.ceiling)
		log.Printf("[warn] [engine] failed to flush chunk, retry in %.1f seconds: output:%s: %v", wait.Seconds(), o.name, err)
	}
}

func (o *output) giveUp(one *chunk, tried bool, err error) {
	name := "fluentbit_output_errors_total"
	if tried {
		name = "fluentbit_output_retries_failed_total"
	}
	metrics.add(name, o.name, 1)
	metrics.add("fluentbit_output_dropped_records_total", o.name, float64(one.records))
	log.Printf("[error] [engine] chunk will not be retried, %d records are lost: output:%s: %v", one.records, o.name, err)
	o.buffer.done(one)
}

// Sends records as one array: bytes sent, and whether it is worth another try.
func (o *output) send(records []stored) (size int, retry bool, err error) {
	list := make([]map[string]any, 0, len(records))
	for _, one := range records {
		if key := o.section.text("json_date_key", "date"); !strings.EqualFold(key, "false") {
			one.Fields[key] = o.date(one.Time)
		}
		list = append(list, one.Fields)
	}
	body, err := json.Marshal(list)
	if err != nil {
		return 0, false, err
	}
	size = len(body)
	compress := strings.EqualFold(o.section.text("compress", ""), "gzip")
	if compress {
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		writer.Write(body)
		writer.Close()
		body = packed.Bytes()
	}
	request, err := http.NewRequest(http.MethodPost, o.url, bytes.NewReader(body))
	if err != nil {
		return 0, false, err
	}
	request.Header.Set("User-Agent", "Fluent-Bit")
	request.Header.Set("Content-Type", "application/json")
	if compress {
		request.Header.Set("Content-Encoding", "gzip")
	}
	for _, header := range o.section.all("header") {
		key, value, _ := strings.Cut(header, " ")
		request.Header.Set(key, strings.TrimSpace(value))
	}
	if user := o.section.text("http_user", ""); user != "" {
		request.SetBasicAuth(user, o.section.text("http_passwd", ""))
	}
	answer, err := o.client.Do(request)
	if err != nil {
		return 0, true, err
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if answer.StatusCode >= 200 && answer.StatusCode <= 205 {
		return size, false, nil
	}
	// out_http takes the client's own fault for final, except for 408 and 429.
	final := answer.StatusCode/100 == 4 && answer.StatusCode != 408 && answer.StatusCode != 429
	return 0, !final, fmt.Errorf("%s: HTTP status=%d", o.url, answer.StatusCode)
}

func (o *output) date(when time.Time) any {
	switch o.section.text("json_date_format", "double") {
	case "iso8601":
		return when.UTC().Format("2006-01-02T15:04:05.000000Z")
	case "java_sql_timestamp":
		return when.UTC().Format("2006-01-02 15:04:05.000000")
	case "epoch":
		return when.Unix()
	case "epoch_ms":
		return when.UnixMilli()
	}
	return float64(when.UnixNano()) / 1e9
}
