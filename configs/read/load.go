// Package read turns a configuration file into a [configs.Config]. [File] and [Text]
// are the whole of it. A file goes through five stages, which begin in these files:
//
//	document.go, tree.go   YAML text → a tree of our own, with places; bounded
//	                       in size and depth, anchors and merge keys resolved
//	decode.go, scalar.go   the tree → the Go types of package configs, by their
//	                       tags; unknown and missing keys, wrong types
//	expand.go              ${NAME} and ${file:PATH} in values, while decoding: after
//	                       parsing, so that no value can become structure, and once
//	derive.go              defaults that depend on something else
//	package check          what cannot work is refused, what is unwise is warned of
//
// Errors never repeat the value of a variable, of a file, or of a secret.
package read

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"coatcheck/configs"
	"coatcheck/configs/check"
	"coatcheck/configs/keypath"
)

// File reads a configuration file, fills in every default and checks it: all
// that is wrong with it is reported at once, in the order of the file.
//
// The configuration is nil if the file is refused ([configs.Refused]); warnings alone
// come together with it. getenv finds the variables of ${NAME}; ${file:PATH} is
// read from disk, relative to the file's own folder, and so are all other file
// names in it. Nothing else is opened and nobody is called.
func File(path string, getenv func(string) (string, bool)) (*configs.Config, []configs.Fault) {
	content, err := readBounded(path, maxFile)
	if err != nil {
		return nil, []configs.Fault{noFile(path, err)}
	}
	return Text(path, content, getenv, func(name string) ([]byte, error) { return readBounded(name, maxExpanded) })
}

// Text is [File] for a text that stands elsewhere than in a file. path is its
// name in faults, and its folder the one that file names are relative to.
// readFile answers ${file:PATH}; nil knows no files.
func Text(path string, content []byte, getenv func(string) (string, bool), readFile func(string) ([]byte, error)) (*configs.Config, []configs.Fault) {
	return decoded(path, content, getenv, readFile, nil)
}

// decoded is Text, and what development fills in, if it is not nil.
func decoded(path string, content []byte, getenv func(string) (string, bool), readFile func(string) ([]byte, error), development *developer) (*configs.Config, []configs.Fault) {
	root, faults := readDocument(path, content)
	if root == nil {
		return nil, faults
	}
	if development != nil {
		development.complete(root)
	}
	folder := filepath.Dir(path)
	d := &decoder{sources: sources{getenv, readFile, folder}, file: path, faults: faults, development: development,
		positions: map[string]configs.Position{}, variables: map[string]bool{}, broken: map[string]bool{}}
	for _, f := range faults {
		d.broken[f.Path] = true
	}
	c := new(configs.Config)
	prefill(reflect.ValueOf(c).Elem())
	d.decode(field{at: configs.Position{Line: 1, Column: 1}}, root, reflect.ValueOf(c).Elem())
	c.Source = configs.NewSource(path, d.positions, d.variables)
	derive(c, folder)
	return conclude(c, d.faults)
}

// conclude adds what [check.Config] finds and decides. Where a value could not be read
// it has been reported, and is not reported again for what stands there instead,
// nor is the section that it is missing from.
func conclude(c *configs.Config, faults []configs.Fault) (*configs.Config, []configs.Fault) {
	reported := map[string]bool{}
	for _, f := range faults {
		reported[f.Path], reported[keypath.Parent(f.Path)] = true, true
	}
	for _, f := range check.Config(c) {
		if !reported[f.Path] {
			faults = append(faults, f)
		}
	}
	configs.SortFaults(faults)
	if configs.Refused(faults) {
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

// noFile is the fault of a configuration file that cannot be read.
func noFile(path string, err error) configs.Fault {
	f := configs.Fault{File: path, Message: "cannot be read: " + reason(err)}
	if errors.Is(err, fs.ErrNotExist) {
		f.Hint = "another file: --config FILE; none yet: begin with configs/minimal.yaml"
	}
	return f
}
