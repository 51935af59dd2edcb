package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
)

// Load reads a configuration file, fills in every default and checks it: all
// that is wrong with it is reported at once, in the order of the file.
//
// The configuration is nil if the file is refused ([Refused]); warnings alone
// come together with it. getenv finds the variables of ${NAME}; ${file:PATH} is
// read from disk, relative to the file's own folder, and so are all other file
// names in it. Nothing else is opened and nobody is called.
func Load(path string, getenv func(string) (string, bool)) (*Config, []Fault) {
	content, err := readBounded(path, maxFile)
	if err != nil {
		return nil, []Fault{{File: path, Message: "cannot be read: " + reason(err)}}
	}
	return Parse(path, content, getenv, func(name string) ([]byte, error) { return readBounded(name, maxExpanded) })
}

// Parse is [Load] for a text that stands elsewhere than in a file. path is its
// name in faults, and its folder the one that file names are relative to.
// readFile answers ${file:PATH}; nil knows no files.
func Parse(path string, content []byte, getenv func(string) (string, bool), readFile func(string) ([]byte, error)) (*Config, []Fault) {
	root, faults := readDocument(path, content)
	if root == nil {
		return nil, faults
	}
	folder := filepath.Dir(path)
	d := &decoder{sources: sources{getenv, readFile, folder}, file: path, faults: faults,
		positions: map[string]Position{}, variables: map[string]bool{}, broken: map[string]bool{}}
	for _, f := range faults {
		d.broken[f.Path] = true
	}
	c := new(Config)
	prefill(reflect.ValueOf(c).Elem())
	d.decode(field{at: Position{1, 1}}, root, reflect.ValueOf(c).Elem())
	c.Source = &Source{file: path, folder: folder, positions: d.positions, variables: d.variables}
	derive(c)
	return conclude(c, d.faults)
}

// conclude adds what [Check] finds and decides. Where a value could not be read
// it has been reported, and is not reported again for what stands there instead,
// nor is the section that it is missing from.
func conclude(c *Config, faults []Fault) (*Config, []Fault) {
	reported := map[string]bool{}
	for _, f := range faults {
		reported[f.Path], reported[parent(f.Path)] = true, true
	}
	for _, f := range Check(c) {
		if !reported[f.Path] {
			faults = append(faults, f)
		}
	}
	sortFaults(faults)
	if Refused(faults) {
		return nil, faults
	}
	return c, faults
}

// readBounded reads a file, but at most one byte more than limit, so that a
// device that never ends cannot hold the program.
func readBounded(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return content, nil
}

// reason is the part of a file error that says why, without the name again.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "file not found"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	return err.Error()
}
