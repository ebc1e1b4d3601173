package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What an output has yet to deliver: one file a chunk below storage.path, so that a restart loses nothing.
type buffer struct {
	sync.Mutex
	folder string
	output string
	limit  int64
	chunks []*chunk
	size   int64
	next   uint64
}

type chunk struct {
	path     string
	size     int64
	records  int
	attempts int
	due      time.Time
	busy     bool
}

// Record as it lies in a chunk.
type stored struct {
	Time   time.Time      `json:"time"`
	Fields map[string]any `json:"fields"`
}

// The chunks that an earlier process left are delivered first.
func newBuffer(root, output string, limit int64) (*buffer, error) {
	b := &buffer{folder: filepath.Join(root, output), output: output, limit: limit}
	if err := os.MkdirAll(b.folder, 0o700); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(b.folder, "*.flb"))
	if err != nil {
		return nil, err
	}
	sort.Strings(paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		number, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), ".flb"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s is no chunk", path)
		}
		b.next = number + 1
		b.keep(&chunk{path: path, size: int64(len(text)), records: bytes.Count(text, []byte("\n"))})
	}
	return b, nil
}

func (b *buffer) keep(one *chunk) {
	b.chunks = append(b.chunks, one)
	b.size += one.size
}

// Stores records; when the buffer is full, the oldest go.
func (b *buffer) store(records []record) error {
	var text bytes.Buffer
	for _, one := range records {
		line, err := json.Marshal(stored{one.time, one.fields})
		if err != nil {
			return err
		}
		text.Write(append(line, '\n'))
	}
	b.Lock()
	defer b.Unlock()
	path := filepath.Join(b.folder, fmt.Sprintf("%020d.flb", b.next))
	b.next++
	if err := replace(path, text.Bytes()); err != nil {
		return err
	}
	b.keep(&chunk{path: path, size: int64(text.Len()), records: len(records)})
	for b.limit > 0 && b.size > b.limit && len(b.chunks) > 1 && !b.chunks[0].busy {
		log.Printf("[error] [output:%s] the buffer is full: a chunk of %d records was dropped", b.output, b.chunks[0].records)
		metrics.add("fluentbit_output_dropped_records_total", b.output, float64(b.chunks[0].records))
		b.remove(b.chunks[0])
	}
	return nil
}

// The oldest chunk that is due, with its records; nil if there is none.
func (b *buffer) take() (*chunk, []stored) {
	b.Lock()
	defer b.Unlock()
	for _, one := range b.chunks {
		if one.busy || time.Now().Before(one.due) {
			continue
		}
		text, err := os.ReadFile(one.path)
		if err != nil {
			log.Printf("[error] [storage] %v", err)
			metrics.add("fluentbit_output_dropped_records_total", b.output, float64(one.records))
			b.remove(one)
			return nil, nil
		}
		var records []stored
		decoder := json.NewDecoder(bytes.NewReader(text))
		for decoder.More() {
			var record stored
			if decoder.Decode(&record) != nil {
				break
			}
			records = append(records, record)
		}
		one.busy = true
		return one, records
	}
	return nil, nil
}

// The chunk was delivered, or given up.
func (b *buffer) done(one *chunk) {
	b.Lock()
	defer b.Unlock()
	b.remove(one)
}

// It stays, and is due again after a while that grows; between half of it and all, at random.
func (b *buffer) again(one *chunk, base, ceiling time.Duration) time.Duration {
	b.Lock()
	defer b.Unlock()
	one.attempts++
	wait := min(base<<min(one.attempts, 16), ceiling)
	wait = wait/2 + rand.N(wait/2+1)
	one.busy, one.due = false, time.Now().Add(wait)
	return wait
}

func (b *buffer) remove(one *chunk) {
	for index, other := range b.chunks {
		if other == one {
			b.chunks = append(b.chunks[:index], b.chunks[index+1:]...)
			b.size -= one.size
			os.Remove(one.path)
			return
		}
	}
}

// How many chunks there are, how many bytes they are, and how many of those are being sent or wait for another try.
func (b *buffer) waiting() (count int, size, busy int64) {
	b.Lock()
	defer b.Unlock()
	for _, one := range b.chunks {
		if one.busy || one.attempts > 0 {
			busy += one.size
		}
	}
	return len(b.chunks), b.size, busy
}
