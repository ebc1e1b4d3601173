package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// parsed is what Prometheus makes of one body: every series up to the first error, and that error.
type parsed struct {
	Series []series `json:"series"`
	Error  string   `json:"error,omitempty"`
}

type series struct {
	// Labels are pairs of name and value sorted by name, the metric's name among them as __name__. Pairs and not an
	// object, because the lexer lets one name occur twice.
	Labels [][2]string `json:"labels"`
	// Bits of the value, as JSON has no NaN.
	Value     uint64 `json:"value"`
	Timestamp *int64 `json:"timestamp,omitempty"`
}

// dump reads bodies, each a format byte ('t' for text 0.0.4, 'o' for OpenMetrics), a big-endian 32-bit length and that
// many bytes, and writes a line of JSON for each, in order.
func dump(in io.Reader, out *bufio.Writer) error {
	reader := bufio.NewReaderSize(in, 1<<20)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	var header [5]byte
	for {
		if _, err := io.ReadFull(reader, header[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		body := make([]byte, binary.BigEndian.Uint32(header[1:]))
		if _, err := io.ReadFull(reader, body); err != nil {
			return err
		}
		if err := encoder.Encode(parse(header[0], body)); err != nil {
			return err
		}
	}
}

func parse(format byte, body []byte) (result parsed) {
	result.Series = []series{}
	// The oracle must outlive its own panics: they are a finding, not an end.
	defer func() {
		if caught := recover(); caught != nil {
			result.Error = fmt.Sprintf("panic: %v", caught)
		}
	}()
	parser := newParser(format, body)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return result
		} else if err != nil {
			result.Error = err.Error()
			return result
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, timestamp, value := parser.Series()
		one := series{Value: math.Float64bits(value)}
		if timestamp != nil {
			copied := *timestamp
			one.Timestamp = &copied
		}
		var set labels.Labels
		parser.Labels(&set)
		set.Range(func(label labels.Label) {
			one.Labels = append(one.Labels, [2]string{label.Name, label.Value})
		})
		result.Series = append(result.Series, one)
	}
}

func newParser(format byte, body []byte) textparse.Parser {
	if format == 'o' {
		return textparse.NewOpenMetricsParser(body, labels.NewSymbolTable())
	}
	return textparse.NewPromParser(body, labels.NewSymbolTable(), false)
}
