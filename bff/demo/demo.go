// Package demo runs Coatcheck with all that stands around it, in one process: two
// applications, the API they call, the provider where people of one of them sign in, and
// an attacker.
package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"coatcheck/bff/command"
	"coatcheck/bff/pages"
	"coatcheck/bff/terminal"
	demoapi "coatcheck/upstream/demo"
	"coatcheck/web"
)

// APIs are the names of the APIs that the demo can answer as.
func APIs() []string { return demoapi.Speaks() }

// Options say where the demo listens and what it stands in for.
type Options struct {
	// Listen is the address of the pages, Store the URL of the session store.
	Listen, Store string
	// API that the demo answers as, one of [APIs]; "": its own.
	API string
	// Version and Commit of the program.
	Version, Commit string
}

// pagesCSP lets the demo's pages do what they must and nothing else.
const pagesCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// Run runs everything in one process until ctx ends or a signal comes: an API on
// another origin, two frontends and Coatcheck between them, and an attacker's page
// beside them. Errors: [command.ErrRefused], a [command.Failure], or what is wrong with
// the options.
func Run(ctx context.Context, p *command.Program, o Options) error {
	if o.API != "" && !slices.Contains(APIs(), o.API) {
		return fmt.Errorf("the demo cannot answer as %q; it can as %s", o.API, strings.Join(APIs(), ", "))
	}
	s, err := setStage(p, o)
	if err != nil {
		return err
	}
	return s.play(ctx, o, func() {
		welcome{port: s.port, api: s.api.Addr().String(), admin: s.operators.Addr().String(),
			issuer: s.porter.issuer, programs: s.programs, as: o.API, paint: terminal.Of(p.Stdout, p.Getenv)}.write(p.Stdout)
	})
}

func applications() map[string]*pages.Pages {
	files := &pages.Pages{Files: web.Demo(), CSP: pagesCSP}
	return map[string]*pages.Pages{"shop": files, "admin": files}
}
