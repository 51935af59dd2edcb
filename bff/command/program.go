// Package command has the commands of the program, but for the command line itself:
// what an operator can do with a configuration and a running process. Each command
// writes for people and returns an error: [ErrRefused] where everything was said, a
// [Failure] where the work failed, and any other where the command line is wrong.
package command

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"coatcheck/configs"
)

// ErrRefused says that a command did its work and the outcome is bad: a configuration
// with faults, an upstream that is away. What there is to say was written already.
var ErrRefused = errors.New("refused")

// Failure is an error of the work, not of the command line.
type Failure struct{ error }

// Failed makes an error one of the work; nil stays nil.
func Failed(err error) error {
	if err == nil {
		return nil
	}
	return Failure{err}
}

// Unwrap returns the error itself.
func (f Failure) Unwrap() error { return f.error }

// Program is what a command needs of the world.
type Program struct {
	// Getenv looks up a variable of the environment, as [os.LookupEnv] does.
	Getenv func(string) (string, bool)
	// Stdin, Stdout and Stderr are the three standard streams.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Report writes faults to standard error and returns how many are errors, not warnings.
func (p *Program) Report(faults []configs.Fault) (errors int) {
	configs.Report(p.Stderr, faults)
	for _, f := range faults {
		if !f.Warning {
			errors++
		}
	}
	return errors
}

// Keygen prints a new sealing key.
func (p *Program) Keygen() error {
	_, err := fmt.Fprintln(p.Stdout, NewKey())
	return err
}

// NewKey is 32 random bytes in base64.
func NewKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	return base64.StdEncoding.EncodeToString(key)
}

// Schema prints the JSON Schema of the configuration.
func (p *Program) Schema() error {
	_, err := p.Stdout.Write(configs.Schema())
	return err
}
