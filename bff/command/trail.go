package command

import (
	"fmt"

	"coatcheck/bff/explain"
	"coatcheck/upstream/signin"
)

// Explain writes the decision trail of one request, offline. Errors: [ErrRefused], a
// [Failure], or what [explain.Explain] says of a question that cannot be read.
func (p *Program) Explain(file string, q explain.RawRequest) error {
	config, err := p.loadOffline(file)
	if err != nil {
		return err
	}
	ups, err := signin.New(config.Upstreams, signin.Options{})
	if err != nil {
		return Failure{err}
	}
	defer ups.Close()
	told, err := explain.Explain(config, ups, q)
	if err != nil {
		return err
	}
	for _, line := range told.Lines {
		fmt.Fprintln(p.Stdout, line)
	}
	return nil
}
