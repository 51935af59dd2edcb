package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	docs "github.com/urfave/cli-docs/v3"
	"github.com/urfave/cli/v3"

	"coatcheck/bff/command"
)

// examples stand in each command's help: what most people type.
var examples = map[string][]string{
	"coatcheck":   {"coatcheck demo", "coatcheck check --config coatcheck.yaml", "coatcheck serve --config coatcheck.yaml"},
	"serve":       {"coatcheck serve --config /etc/coatcheck/coatcheck.yaml", "kill -HUP PID    # reload the configuration and the certificates"},
	"dev":         {"coatcheck dev --config coatcheck.yaml    # store and key are made up where the file has none"},
	"demo":        {"coatcheck demo", "coatcheck demo --listen localhost:8081 --api keycloak"},
	"check":       {"coatcheck check --config coatcheck.yaml", "coatcheck check --online    # also connects to the store, the upstreams and the providers"},
	"explain":     {"coatcheck explain GET https://shop.example.com/api/orders", "coatcheck explain -H 'Origin: https://shop.example.com' OPTIONS https://api.example.com/api/orders"},
	"try":         {"coatcheck try --upstream api", "coatcheck try --upstream api --refresh --logout", "coatcheck try --way sign_up", "coatcheck try --provider keycloak"},
	"apikey":      {"coatcheck apikey new --caller importer --label 'nightly import'", "coatcheck apikey list --caller importer"},
	"new":         {"coatcheck apikey new --caller importer", "coatcheck apikey new --offline    # a key for the configuration file"},
	"list":        {"coatcheck apikey list --caller importer"},
	"rotate":      {"coatcheck apikey rotate --overlap 1h ID"},
	"revoke":      {"coatcheck apikey revoke ID"},
	"keygen":      {"export COATCHECK_KEY=$(coatcheck keygen)"},
	"healthcheck": {"coatcheck healthcheck --admin http://127.0.0.1:9090"},
	"schema":      {"coatcheck schema > coatcheck.schema.json"},
	"man":         {"coatcheck man | man -l -"},
	"version":     {"coatcheck version"},
	"completion":  {"source <(coatcheck completion bash)", "coatcheck completion zsh > \"${fpath[1]}/_coatcheck\"", "coatcheck completion fish > ~/.config/fish/completions/coatcheck.fish"},
}

// describe adds the examples to a command and to those below it.
func describe(c *cli.Command) {
	if lines := examples[c.Name]; len(lines) > 0 {
		c.Description = strings.TrimSpace(c.Description + "\n\nExamples:\n   " + strings.Join(lines, "\n   "))
	}
	for _, each := range c.Commands {
		describe(each)
	}
}

// showCompletion puts the shell completions into the help.
func showCompletion(c *cli.Command) {
	c.Hidden = false
	c.Usage = "print shell completions for bash, zsh, fish or pwsh"
	c.Description = ""
	describe(c)
}

// unknownCommand is the error for a first argument that is no command.
func unknownCommand(root *cli.Command, name string) error {
	if name == "" {
		_ = cli.ShowRootCommandHelp(root)
		return errors.New("missing command")
	}
	if meant := cli.SuggestCommand(root.Commands, name); meant != "" && meant[0] == name[0] { // it always has one
		return fmt.Errorf("unknown command %q; did you mean %s?", name, meant)
	}
	return fmt.Errorf("unknown command %q", name)
}

// plainUsage says a usage error of the flag parser in the words of this program.
func plainUsage(c *cli.Command, err error) error {
	return command.UsageError(err, c.Root() == c, func(flag string) string { return cli.SuggestFlag(c.Flags, flag, false) })
}

// helpful is the command whose help is worth reading after a usage error.
func helpful(root *cli.Command, args []string) string {
	name, at := root.Name, root
	for _, arg := range args[min(1, len(args)):] {
		i := slices.IndexFunc(at.Commands, func(c *cli.Command) bool { return c.HasName(arg) })
		if i < 0 {
			break
		}
		at = at.Commands[i]
		name += " " + at.Name
	}
	return name
}

// man writes the manual page.
func man(w io.Writer, root *cli.Command) error {
	page, err := docs.ToManWithSection(root, 1)
	if err == nil {
		_, err = io.WriteString(w, page)
	}
	return command.Failed(err)
}
