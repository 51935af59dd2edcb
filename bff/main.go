// Command coatcheck is a backend for frontends: it stands on a single-page
// application's own site, keeps the tokens of an API on another domain in sessions
// on the server, and gives the browser nothing but a cookie that opens them.
//
// This package is the house's front door: it reads the command line, builds the
// rooms floor by floor (credential and http1; configs and gate; session, metrics,
// trace, upstream and web; server and admin) and ends them in the opposite order.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args, os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}
