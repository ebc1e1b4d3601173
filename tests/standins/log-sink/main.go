// A store of logs for tests: takes what Fluent Bit sends over HTTPS with a password, as arrays of JSON, and hands out
// the last records again. It holds them in memory, and ends when its standard input does.
package main

import (
	"compress/gzip"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	mostRecords = 50_000
	largestBody = 64 << 20
)

type sink struct {
	sync.Mutex
	records  []json.RawMessage
	received int
}

func main() {
	address := flag.String("address", "127.0.0.1:8080", "where to listen")
	certificate := flag.String("certificate", "", "file of the certificate")
	key := flag.String("key", "", "file of its key")
	user := flag.String("user", "fluent-bit", "who may write and read")
	flag.Parse()
	password := os.Getenv("LOG_SINK_PASSWORD")
	if password == "" {
		log.Fatal("LOG_SINK_PASSWORD is not set")
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	store := &sink{}
	pages := http.NewServeMux()
	pages.HandleFunc("POST /logs", store.write)
	pages.HandleFunc("GET /records", store.read)
	guarded := http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		name, given, found := request.BasicAuth()
		if !found || name != *user || subtle.ConstantTimeCompare([]byte(given), []byte(password)) != 1 {
			answer.WriteHeader(http.StatusUnauthorized)
			return
		}
		pages.ServeHTTP(answer, request)
	})
	server := http.Server{Addr: *address, Handler: guarded, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second}
	log.Fatal(server.ListenAndServeTLS(*certificate, *key))
}

func (s *sink) write(answer http.ResponseWriter, request *http.Request) {
	records, err := decode(request)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	s.Lock()
	defer s.Unlock()
	s.received += len(records)
	s.records = append(s.records, records...)
	if over := len(s.records) - mostRecords; over > 0 {
		s.records = append([]json.RawMessage(nil), s.records[over:]...)
	}
}

func decode(request *http.Request) ([]json.RawMessage, error) {
	body := io.Reader(io.LimitReader(request.Body, largestBody))
	switch encoding := request.Header.Get("Content-Encoding"); encoding {
	case "":
	case "gzip":
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = io.LimitReader(unpacked, largestBody)
	default:
		return nil, errors.New("no such Content-Encoding: " + encoding)
	}
	var records []json.RawMessage
	err := json.NewDecoder(body).Decode(&records)
	return records, err
}

func (s *sink) read(answer http.ResponseWriter, _ *http.Request) {
	s.Lock()
	defer s.Unlock()
	answer.Header().Set("Content-Type", "application/json")
	json.NewEncoder(answer).Encode(map[string]any{"received": s.received, "records": s.records})
}
