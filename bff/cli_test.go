package main

import (
	"bytes"
	"context"
	"strings"
)

// runCommand runs the program as a shell would.
func runCommand(env map[string]string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	getenv := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	code = run(context.Background(), append([]string{"coatcheck"}, args...), getenv, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}
