package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A filter: changes a record, or says that it goes no further.
type filter interface {
	apply(*record) (keep bool)
}

// A filter with the tags that it is for.
type matched struct {
	filter
	section section
	name    string
}

func newFilter(number int, s section) (matched, error) {
	plugin := strings.ToLower(s.text("name", ""))
	named := matched{section: s, name: s.text("alias", fmt.Sprintf("%s.%d", plugin, number))}
	switch plugin {
	case "kubernetes":
		metadata, err := newMetadata(s)
		named.filter = metadata
		return named, err
	case "grep":
		one, err := newGrep(s)
		named.filter = one
		return named, err
	case "record_modifier":
		named.filter = recordModifier{s}
	case "modify":
		if len(s.all("condition")) > 0 {
			return named, fmt.Errorf("[FILTER] modify: the stand-in has no conditions")
		}
		named.filter = modifier{s}
	}
	return named, nil
}

// What passes all filters, in their order.
func filterAll(filters []matched, records []record) []record {
	for _, one := range filters {
		before, kept := 0, records[:0]
		for _, current := range records {
			matches := one.section.matches(current.tag)
			if matches {
				before++
			}
			if !matches || one.apply(&current) {
				kept = append(kept, current)
			}
		}
		metrics.add("fluentbit_filter_records_total", one.name, float64(before))
		metrics.add("fluentbit_filter_drop_records_total", one.name, float64(len(records)-len(kept)))
		records = kept
	}
	return records
}

// The filter grep: rules in their order, the first of which that says something decides (plugins/filter_grep/grep.c).
type grep struct{ rules []rule }

type rule struct {
	field   string
	pattern *regexp.Regexp
	exclude bool
}

func newGrep(s section) (grep, error) {
	var one grep
	for _, property := range s.properties {
		if property.key != "regex" && property.key != "exclude" {
			continue
		}
		field, text, found := strings.Cut(property.value, " ")
		if !found {
			return one, fmt.Errorf("[FILTER] grep: invalid regex, expected field and regular expression")
		}
		pattern, err := regexp.Compile(strings.TrimSpace(text))
		if err != nil {
			return one, fmt.Errorf("[FILTER] grep: could not compile regex pattern '%s'", text)
		}
		one.rules = append(one.rules, rule{strings.TrimPrefix(field, "$"), pattern, property.key == "exclude"})
	}
	return one, nil
}

func (g grep) apply(r *record) bool {
	for _, one := range g.rules {
		text, is := r.fields[one.field].(string)
		matches := is && one.pattern.MatchString(text)
		switch {
		case !matches && !one.exclude, matches && one.exclude:
			return false
		case matches:
			return true
		}
	}
	return true
}

type recordModifier struct{ section }

func (m recordModifier) apply(r *record) bool {
	for _, key := range m.all("remove_key") {
		delete(r.fields, key)
	}
	if allowed := append(m.all("allowlist_key"), m.all("whitelist_key")...); len(allowed) > 0 {
		for key := range r.fields {
			if !slices.Contains(allowed, key) {
				delete(r.fields, key)
			}
		}
	}
	for _, pair := range m.all("record") {
		key, value, _ := strings.Cut(pair, " ")
		r.fields[key] = strings.TrimSpace(value)
	}
	return true
}

type modifier struct{ section }

func (m modifier) apply(r *record) bool {
	for _, rule := range m.properties {
		key, value, _ := strings.Cut(rule.value, " ")
		value = strings.TrimSpace(value)
		_, exists := r.fields[key]
		_, taken := r.fields[value]
		switch rule.key {
		case "set":
			r.fields[key] = value
		case "add":
			if !exists {
				r.fields[key] = value
			}
		case "remove":
			delete(r.fields, key)
		case "rename", "hard_rename", "copy", "hard_copy":
			if !exists || (taken && !strings.HasPrefix(rule.key, "hard_")) {
				continue
			}
			r.fields[value] = r.fields[key]
			if strings.HasSuffix(rule.key, "rename") {
				delete(r.fields, key)
			}
		}
	}
	return true
}

// What a workload logs as JSON becomes fields of the record, as `Merge_Log On` has it.
func mergeLog(r *record, below string, keep bool) {
	text, _ := r.fields["log"].(string)
	parsed := map[string]any{}
	if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &parsed) != nil {
		return
	}
	if below != "" {
		r.fields[below] = parsed
	} else {
		for key, value := range parsed {
			if _, taken := r.fields[key]; !taken {
				r.fields[key] = value
			}
		}
	}
	if !keep {
		delete(r.fields, "log")
	}
}
