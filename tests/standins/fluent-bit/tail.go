package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	pollInterval = 250 * time.Millisecond
	// So much of one file is read before the others have their turn.
	readAtOnce = 256 << 10
	// So many files are followed; a node of a cluster has at most 110 pods.
	mostFiles = 2048
)

// A record on its way: what was read, and of which file.
type record struct {
	tag    string
	time   time.Time
	fields map[string]any
}

// An input of the plugin tail.
type tail struct {
	name      string
	patterns  []string
	excluded  []string
	tag       string
	pathKey   string
	offsetKey string
	database  string
	fromHead  bool
	refresh   time.Duration
	longest   int
	files     map[string]*follow
	scanned   time.Time
	positions map[string]position
}

// How far a file was read. The real database is SQLite; this one is JSON under the same name.
type position struct {
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"`
}

type follow struct {
	file     *os.File
	inode    uint64
	offset   int64
	skipping bool
	// The parts of a line that the container runtime split.
	partial []byte
}

func newTail(number int, s section) (*tail, error) {
	t := &tail{
		name:      s.text("alias", fmt.Sprintf("tail.%d", number)),
		patterns:  split(s.text("path", "")),
		excluded:  split(s.text("exclude_path", "")),
		tag:       s.text("tag", "tail.0"),
		pathKey:   s.text("path_key", ""),
		offsetKey: s.text("offset_key", ""),
		database:  s.text("db", ""),
		fromHead:  s.on("read_from_head", false),
		refresh:   time.Duration(s.number("refresh_interval", 60) * float64(time.Second)),
		longest:   int(s.size("buffer_max_size", 32<<10)),
		files:     map[string]*follow{},
		positions: map[string]position{},
	}
	if len(t.patterns) == 0 {
		return nil, fmt.Errorf("%s: no input 'path' was given", t.name)
	}
	if parser := s.text("multiline.parser", ""); !strings.Contains(parser, "cri") {
		return nil, fmt.Errorf("%s: the stand-in reads nothing but the format of CRI: multiline.parser is `%s`", t.name, parser)
	}
	if t.database == "" {
		return t, nil
	}
	text, err := os.ReadFile(t.database)
	if os.IsNotExist(err) {
		// As SQLite does, the file is made at once: a folder that cannot be written is seen now.
		return t, t.save()
	}
	if err != nil {
		return nil, err
	}
	return t, json.Unmarshal(text, &t.positions)
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(letter rune) bool { return letter == ',' || letter == ' ' })
}

// Looks for files that came and went. Those that are found after the start are read from their head.
func (t *tail) scan() {
	if time.Since(t.scanned) < t.refresh {
		return
	}
	first := t.scanned.IsZero()
	t.scanned = time.Now()
	present := map[string]bool{}
	for _, pattern := range t.patterns {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			if t.isExcluded(path) || len(present) >= mostFiles {
				continue
			}
			present[path] = true
			if _, followed := t.files[path]; !followed {
				t.open(path, first)
			}
		}
	}
	for path, followed := range t.files {
		if !present[path] {
			followed.file.Close()
			delete(t.files, path)
			metrics.add("fluentbit_input_files_closed_total", t.name, 1)
		}
	}
	for path := range t.positions {
		if !present[path] {
			delete(t.positions, path)
		}
	}
}

func (t *tail) isExcluded(path string) bool {
	for _, pattern := range t.excluded {
		if found, _ := filepath.Match(pattern, path); found {
			return true
		}
	}
	return false
}

func (t *tail) open(path string, first bool) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	status, err := file.Stat()
	if err != nil {
		file.Close()
		return
	}
	followed := &follow{file: file, inode: inode(status)}
	if known, found := t.positions[path]; found && known.Inode == followed.inode && known.Offset <= status.Size() {
		followed.offset = known.Offset
	} else if first && !t.fromHead {
		followed.offset = status.Size()
	}
	t.files[path] = followed
	metrics.add("fluentbit_input_files_opened_total", t.name, 1)
}

func inode(status os.FileInfo) uint64 {
	if native, ok := status.Sys().(*syscall.Stat_t); ok {
		return native.Ino
	}
	return 0
}

// Reads what was added to all files.
func (t *tail) read() []record {
	var records []record
	for path, followed := range t.files {
		chunk := make([]byte, readAtOnce)
		count, _ := followed.file.ReadAt(chunk, followed.offset)
		lines, used := followed.lines(chunk[:count], t.longest)
		start := followed.offset
		followed.offset += int64(used)
		tag := strings.Replace(t.tag, "*", strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", "."), 1)
		for _, line := range lines {
			if one, whole := followed.parse(line.text); whole {
				one.tag = tag
				if t.pathKey != "" {
					one.fields[t.pathKey] = path
				}
				if t.offsetKey != "" {
					one.fields[t.offsetKey] = start + int64(line.at)
				}
				records = append(records, one)
			}
		}
		metrics.add("fluentbit_input_bytes_total", t.name, float64(used))
		if len(followed.partial) == 0 {
			t.positions[path] = position{followed.inode, followed.offset}
		}
		if count == 0 {
			t.reopenRotated(path, followed)
		}
	}
	metrics.add("fluentbit_input_records_total", t.name, float64(len(records)))
	return records
}

// A complete line, and where it begins in what was read.
type line struct {
	text []byte
	at   int
}

// Complete lines, and how many bytes they are. A line that no buffer holds is passed over.
func (f *follow) lines(chunk []byte, longest int) (lines []line, used int) {
	for {
		end := bytes.IndexByte(chunk[used:], '\n')
		if end < 0 {
			break
		}
		one := line{chunk[used : used+end], used}
		used += end + 1
		if f.skipping || len(one.text) > longest {
			f.skipping = false
			continue
		}
		lines = append(lines, one)
	}
	if used == 0 && len(chunk) == readAtOnce {
		f.skipping = true
		return nil, len(chunk)
	}
	return lines, used
}

// `TIME STREAM P|F TEXT`; a P is a part that goes on in the next line.
func (f *follow) parse(text []byte) (record, bool) {
	words := bytes.SplitN(text, []byte(" "), 4)
	if len(words) < 4 {
		return record{time: time.Now(), fields: map[string]any{"log": string(text)}}, true
	}
	f.partial = append(f.partial, words[3]...)
	if string(words[2]) == "P" && len(f.partial) < 2<<20 {
		return record{}, false
	}
	when, err := time.Parse(time.RFC3339Nano, string(words[0]))
	if err != nil {
		when = time.Now()
	}
	whole := string(f.partial)
	f.partial = nil
	return record{time: when, fields: map[string]any{
		"time": string(words[0]), "stream": string(words[1]), "_p": string(words[2]), "log": whole,
	}}, true
}

func (t *tail) reopenRotated(path string, followed *follow) {
	status, err := os.Stat(path)
	if err != nil || (inode(status) == followed.inode && status.Size() >= followed.offset) {
		return
	}
	followed.file.Close()
	delete(t.files, path)
	delete(t.positions, path)
	t.open(path, false)
	metrics.add("fluentbit_input_files_rotated_total", t.name, 1)
}

// Makes the positions last, after what was read has been stored.
func (t *tail) save() error {
	if t.database == "" {
		return nil
	}
	text, err := json.Marshal(t.positions)
	if err != nil {
		return err
	}
	return replace(t.database, text)
}

func replace(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
