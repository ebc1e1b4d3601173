// Stand-in for Fluent Bit on the testbed, where the real program is not to be had. It reads the configuration file that
// the chart makes of our values, follows the containers' logs, asks the API server about their pods, keeps what it read
// in a position database and a bounded buffer on disk, and delivers it over HTTP. Its metrics count what it did.
package main

import (
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// So many records are held in memory before they are stored.
const mostRecords = 20_000

type pipeline struct {
	service section
	inputs  []*tail
	filters []matched
	outputs []*output
}

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC)
	log.Printf("[info] stand-in for Fluent Bit %s", version)
	if err := run(); err != nil {
		log.Printf("[error] %v", err)
		os.Exit(1)
	}
}

func run() error {
	path := ""
	for _, argument := range os.Args[1:] {
		if value, found := strings.CutPrefix(argument, "--config="); found {
			path = value
		} else if !strings.HasPrefix(argument, "--workdir=") && argument != "--enable-hot-reload" {
			return fmt.Errorf("the stand-in has no option %s", argument)
		}
	}
	sections, err := readConfiguration(path)
	if err != nil {
		return err
	}
	line, err := assemble(sections)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() {
		if err := serve(line.service); err != nil {
			failed <- err
		}
	}()
	for _, one := range line.outputs {
		go one.run()
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	return line.follow(stop, failed)
}

func assemble(sections []section) (*pipeline, error) {
	line := &pipeline{}
	for _, one := range sections {
		if one.kind == "service" {
			line.service = one
		}
	}
	if folder := line.service.text("storage.path", ""); folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	filters := map[string]int{}
	for _, one := range sections {
		switch one.kind {
		case "input":
			input, err := newTail(len(line.inputs), one)
			if err != nil {
				return nil, err
			}
			metrics.declare("input", input.name)
			line.inputs = append(line.inputs, input)
		case "filter":
			plugin := strings.ToLower(one.text("name", ""))
			filter, err := newFilter(filters[plugin], one)
			if err != nil {
				return nil, err
			}
			filters[plugin]++
			metrics.declare("filter", filter.name)
			line.filters = append(line.filters, filter)
		case "output":
			output, err := newOutput(len(line.outputs), one, line.service)
			if err != nil {
				return nil, err
			}
			metrics.declare("output", output.name)
			line.outputs = append(line.outputs, output)
		}
	}
	metrics.storage = line.stored
	return line, nil
}

// What is stored, as gauges of the metrics page: the process's own, by input, by output.
func (p *pipeline) stored() []gauge {
	var chunks int
	var waiting int64
	var gauges []gauge
	for _, one := range p.outputs {
		count, size, busy := one.buffer.waiting()
		chunks, waiting = chunks+count, waiting+busy
		capacity := 100.0
		if one.buffer.limit > 0 {
			capacity = 100 * float64(max(0, one.buffer.limit-size)) / float64(one.buffer.limit)
		}
		gauges = append(gauges, gauge{"fluentbit_output_chunk_available_capacity_percent", one.name, capacity})
	}
	for index, one := range p.inputs {
		gauges = append(gauges, gauge{"fluentbit_input_ingestion_paused", one.name, 0})
		if !p.service.on("storage.metrics", false) {
			continue
		}
		busy := 0.0
		// Chunks know their output, not their input: the first input stands for all.
		if index == 0 {
			busy = float64(waiting)
		}
		gauges = append(gauges,
			gauge{"fluentbit_input_storage_overlimit", one.name, 0},
			gauge{"fluentbit_input_storage_chunks_busy_bytes", one.name, busy})
	}
	if p.service.on("storage.metrics", false) {
		gauges = append(gauges,
			gauge{"fluentbit_storage_chunks", "", float64(chunks)},
			gauge{"fluentbit_storage_fs_chunks", "", float64(chunks)},
			gauge{"fluentbit_storage_fs_chunks_busy_bytes", "", float64(waiting)})
	}
	return gauges
}

// Reads until it is told to stop. Positions are saved after the records up to there: a crash between the two repeats
// some records and loses none.
func (p *pipeline) follow(stop <-chan os.Signal, failed <-chan error) error {
	flush := time.Duration(p.service.number("flush", 1) * float64(time.Second))
	flushed := time.Now()
	var records []record
	for {
		for _, one := range p.inputs {
			one.scan()
			records = append(records, one.read()...)
		}
		var ended error
		ending := false
		select {
		case received := <-stop:
			log.Printf("[engine] caught signal (%v)", received)
			ending = true
		case ended = <-failed:
			ending = true
		case <-time.After(pollInterval):
		}
		if ending || time.Since(flushed) >= flush || len(records) >= mostRecords {
			if err := p.store(records); err != nil {
				return err
			}
			records, flushed = nil, time.Now()
		}
		if ending {
			return ended
		}
	}
}

func (p *pipeline) store(records []record) error {
	records = filterAll(p.filters, records)
	for _, one := range p.outputs {
		var routed []record
		for _, record := range records {
			if one.section.matches(record.tag) {
				routed = append(routed, record)
			}
		}
		if len(routed) > 0 {
			if err := one.buffer.store(routed); err != nil {
				return err
			}
		}
	}
	for _, one := range p.inputs {
		if err := one.save(); err != nil {
			return err
		}
	}
	return nil
}
