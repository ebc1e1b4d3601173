package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/VictoriaMetrics/VictoriaMetrics/lib/bytesutil"
	"github.com/VictoriaMetrics/VictoriaMetrics/lib/protoparser/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// blockSize is the size of the blocks that VictoriaMetrics' stream parser reads and parses at once; smaller than a
// core's cache, so it is also its best case.
const blockSize = 64 << 10

type round struct {
	Nanoseconds      int64   `json:"nanoseconds"`
	Series           int     `json:"series"`
	MegabytesASecond float64 `json:"megabytes_a_second"`
}

// bench parses the file once for every line that it reads: the caller can so interleave several peers' rounds.
func bench(peer, path string, in io.Reader, out *bufio.Writer) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var once func([]byte) (int, error)
	switch peer {
	case "textparse":
		once = func(body []byte) (int, error) { return textparseOnce('t', body) }
	case "textparse-openmetrics":
		once = func(body []byte) (int, error) { return textparseOnce('o', body) }
	case "victoriametrics":
		once = victoriaMetrics()
	default:
		return fmt.Errorf("unknown peer %q", peer)
	}
	encoder := json.NewEncoder(out)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		start := time.Now()
		count, err := once(body)
		took := time.Since(start)
		if err != nil {
			return err
		}
		rate := float64(len(body)) / 1e6 / took.Seconds()
		if err := encoder.Encode(round{took.Nanoseconds(), count, rate}); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func textparseOnce(format byte, body []byte) (int, error) {
	parser := newParser(format, body)
	count := 0
	var set labels.Labels
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return count, nil
		} else if err != nil {
			return count, err
		}
		if entry == textparse.EntrySeries {
			parser.Series()
			parser.Labels(&set)
			count++
		}
	}
}

func victoriaMetrics() func([]byte) (int, error) {
	var rows prometheus.Rows
	return func(body []byte) (int, error) {
		var failed error
		count := 0
		for len(body) > 0 {
			block := body
			if len(block) > blockSize {
				end := bytes.LastIndexByte(block[:blockSize], '\n')
				if end < 0 {
					return count, errors.New("a line is longer than a block")
				}
				block = block[:end+1]
			}
			body = body[len(block):]
			// The stream parser makes a string of each block as well (without a copy, by unsafe).
			rows.UnmarshalWithErrLogger(bytesutil.ToUnsafeString(block), func(message string) { failed = errors.New(message) })
			if failed != nil {
				return count, failed
			}
			count += len(rows.Rows)
		}
		return count, nil
	}
}
