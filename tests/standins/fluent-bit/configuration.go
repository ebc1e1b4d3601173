package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A section of a configuration file in classic mode: `[INPUT]` and its properties, in order.
type section struct {
	kind       string
	properties []property
}

type property struct{ key, value string }

// What the real program knows and this one heeds or may pass over. Any other key is an error, as it is there.
var known = map[string][]string{
	"service": {
		"daemon", "flush", "grace", "log_level", "parsers_file", "http_server", "http_listen", "http_port",
		"health_check", "hc_errors_count", "hc_retry_failure_count", "hc_period", "hot_reload", "dns.mode",
		"dns.resolver", "storage.path", "storage.sync", "storage.checksum", "storage.max_chunks_up",
		"storage.backlog.mem_limit", "storage.backlog.flush_on_shutdown", "storage.metrics", "storage.inherit",
		"storage.type", "storage.delete_irrecoverable_chunks", "storage.trim_files", "storage.keep.rejected",
		"storage.rejected.path", "scheduler.base", "scheduler.cap", "json.convert_nan_to_null",
		"sp.convert_from_str_to_num", "enable_chunk_trace", "multiline_buffer_limit",
	},
	"tail": {
		"name", "alias", "tag", "log_level", "path", "exclude_path", "path_key", "offset_key", "db", "db.sync", "db.locking",
		"db.journal_mode", "db.compare_filename", "read_from_head", "read_newly_discovered_files_from_head",
		"refresh_interval", "rotate_wait", "ignore_older", "buffer_chunk_size", "buffer_max_size", "skip_long_lines",
		"skip_empty_lines", "mem_buf_limit", "multiline.parser", "storage.type", "storage.pause_on_chunks_overlimit",
		"static_batch_size", "event_batch_size", "inotify_watcher", "progress_check_interval", "threaded",
		"file_cache_advise", "truncate_long_lines", "ignore_active_older_files",
	},
	"kubernetes": {
		"name", "alias", "match", "match_regex", "log_level", "kube_url", "kube_ca_file", "kube_ca_path", "kube_token_file",
		"kube_token_ttl", "kube_tag_prefix", "kube_meta_cache_ttl", "kube_meta_namespace_cache_ttl", "merge_log", "merge_log_key", "merge_log_trim",
		"merge_parser", "keep_log", "k8s-logging.parser", "k8s-logging.exclude", "labels", "annotations",
		"namespace_labels", "namespace_annotations", "owner_references", "buffer_size", "tls.debug", "tls.verify",
		"tls.verify_hostname", "use_kubelet", "kubelet_port", "kubelet_host", "dns_retries", "dns_wait_time", "use_journal", "use_tag_for_meta",
		"regex_parser", "dummy_meta", "cache_use_docker_id", "dns_resolver", "kube_meta_preload_cache_dir",
	},
	"grep":            {"name", "alias", "match", "match_regex", "log_level", "regex", "exclude"},
	"record_modifier": {"name", "alias", "match", "match_regex", "log_level", "record", "remove_key", "allowlist_key", "whitelist_key", "uuid_key"},
	"modify": {
		"name", "alias", "match", "match_regex", "log_level", "set", "add", "remove", "rename", "hard_rename", "copy",
		"hard_copy", "condition",
	},
	"http": {
		"name", "alias", "match", "match_regex", "log_level", "host", "port", "uri", "format", "json_date_key",
		"json_date_format", "compress", "header", "header_tag", "http_user", "http_passwd", "http_method", "tls",
		"tls.verify", "tls.verify_hostname", "tls.ca_file", "tls.ca_path", "tls.vhost", "tls.min_version", "tls.max_version", "tls.debug",
		"workers", "retry_limit", "storage.total_limit_size", "net.connect_timeout", "net.io_timeout",
		"net.keepalive", "net.keepalive_idle_timeout", "net.keepalive_max_recycle", "net.max_worker_connections",
		"net.connect_timeout_log_error", "net.dns.mode", "net.dns.resolver", "net.dns.prefer_ipv4",
		"net.tcp_keepalive", "net.tcp_keepalive_time", "net.tcp_keepalive_interval", "net.tcp_keepalive_probes", "log_response_payload", "allow_duplicated_headers", "response_timeout", "read_idle_timeout",
	},
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// Reads a file in classic mode, with `@INCLUDE`, `@SET` and environment variables.
func readConfiguration(path string) ([]section, error) {
	var sections []section
	set := map[string]string{}
	if err := readInto(&sections, set, path, 0); err != nil {
		return nil, err
	}
	for _, one := range sections {
		if err := one.check(); err != nil {
			return nil, err
		}
	}
	return sections, nil
}

func readInto(sections *[]section, set map[string]string, path string, depth int) error {
	if depth > 4 {
		return fmt.Errorf("%s: included too deeply", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		key, value, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		value = expand(strings.TrimSpace(value), set)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.EqualFold(key, "@INCLUDE"):
			if err := include(sections, set, filepath.Join(filepath.Dir(path), value), depth); err != nil {
				return err
			}
		case strings.EqualFold(key, "@SET"):
			name, content, found := strings.Cut(value, "=")
			if !found {
				return fmt.Errorf("%s:%d: @SET without `=`", path, number)
			}
			set[strings.TrimSpace(name)] = content
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			*sections = append(*sections, section{kind: strings.ToLower(strings.Trim(line, "[]"))})
		case len(*sections) == 0 || value == "":
			return fmt.Errorf("%s:%d: `%s` is no property of a section", path, number, line)
		default:
			last := &(*sections)[len(*sections)-1]
			last.properties = append(last.properties, property{strings.ToLower(key), value})
		}
	}
	return lines.Err()
}

func include(sections *[]section, set map[string]string, pattern string, depth int) error {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		return fmt.Errorf("@INCLUDE %s: no such file (%v)", pattern, err)
	}
	for _, file := range files {
		if err := readInto(sections, set, file, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func expand(text string, set map[string]string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-1]
		if value, ok := set[name]; ok {
			return value
		}
		return os.Getenv(name)
	})
}

func (s section) check() error {
	plugin := s.kind
	switch s.kind {
	case "service":
	case "input", "filter", "output":
		plugin = strings.ToLower(s.text("name", ""))
		inputs := plugin == "tail"
		outputs := plugin == "http"
		if _, exists := known[plugin]; !exists || inputs != (s.kind == "input") || outputs != (s.kind == "output") {
			return fmt.Errorf("[%s]: the stand-in has no plugin `%s`", strings.ToUpper(s.kind), plugin)
		}
	default:
		return fmt.Errorf("the stand-in has no section [%s]", strings.ToUpper(s.kind))
	}
	for _, property := range s.properties {
		if !slices.Contains(known[plugin], property.key) {
			return fmt.Errorf("[%s] %s: unknown configuration property '%s'", strings.ToUpper(s.kind), plugin, property.key)
		}
	}
	return nil
}

// The last value of a key, as a later line replaces an earlier one.
func (s section) text(key, otherwise string) string {
	for _, property := range slices.Backward(s.properties) {
		if property.key == key {
			return property.value
		}
	}
	return otherwise
}

// Every value of a key that may be repeated.
func (s section) all(key string) []string {
	var values []string
	for _, property := range s.properties {
		if property.key == key {
			values = append(values, property.value)
		}
	}
	return values
}

func (s section) on(key string, otherwise bool) bool {
	switch strings.ToLower(s.text(key, "")) {
	case "on", "true", "yes":
		return true
	case "off", "false", "no":
		return false
	}
	return otherwise
}

func (s section) number(key string, otherwise float64) float64 {
	if number, err := strconv.ParseFloat(s.text(key, ""), 64); err == nil {
		return number
	}
	return otherwise
}

// A size such as `512M`; units are powers of 1000, as there (flb_utils_size_to_bytes).
func (s section) size(key string, otherwise int64) int64 {
	text := strings.ToUpper(strings.TrimSuffix(strings.ToUpper(s.text(key, "")), "B"))
	unit := int64(1)
	for suffix, factor := range map[string]int64{"K": 1e3, "M": 1e6, "G": 1e9} {
		if rest, found := strings.CutSuffix(text, suffix); found {
			text, unit = rest, factor
		}
	}
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		return int64(number * float64(unit))
	}
	return otherwise
}

func (s section) matches(tag string) bool {
	if expression := s.text("match_regex", ""); expression != "" {
		found, err := regexp.MatchString(expression, tag)
		return err == nil && found
	}
	pattern := regexp.QuoteMeta(s.text("match", ""))
	found, err := regexp.MatchString("^"+strings.ReplaceAll(pattern, `\*`, ".*")+"$", tag)
	return err == nil && found
}
