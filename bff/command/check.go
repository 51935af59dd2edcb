package command

import (
	"context"
	"fmt"

	"coatcheck/configs/read"
)

// Check reports every fault at once and, if online, what the store and the upstreams
// say. Warnings alone refuse nothing. Errors: [ErrRefused] or a [Failure].
func (p *Program) Check(ctx context.Context, name string, online bool) error {
	config, faults := read.File(name, p.Getenv)
	if config != nil {
		faults = append(faults, filesOf(config)...)
	}
	if p.Report(faults) > 0 {
		return ErrRefused
	}
	switch len(faults) { // all of them are warnings
	case 0:
		fmt.Fprintf(p.Stdout, "%s: OK\n", name)
	case 1:
		fmt.Fprintf(p.Stdout, "%s: OK, 1 warning\n", name)
	default:
		fmt.Fprintf(p.Stdout, "%s: OK, %d warnings\n", name, len(faults))
	}
	p.printWays(config)
	printRegistrations(p.Stdout, config)
	printAccounts(p.Stdout, config)
	if online {
		return p.online(ctx, config)
	}
	return nil
}
