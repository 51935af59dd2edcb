package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

// unsetName finds the variables that a fault says are not set.
var unsetName = regexp.MustCompile(`the variable (\w+) is not set`)

// loadServingNobody is load for a command that keeps no session: sessions.store and
// sessions.keys may be missing, or their variables unset.
func (p *Program) loadServingNobody(file string) (*configs.Config, error) {
	config, faults := withoutStore(file, p.Getenv)
	if p.Report(faults) > 0 {
		return nil, ErrRefused
	}
	return config, nil
}

func withoutStore(file string, getenv func(string) (string, bool)) (*configs.Config, []configs.Fault) {
	config, faults, _ := read.ForDevelopment(file, getenv, read.Development{Store: "memory://", Key: NewKey()})
	return config, faults
}

// loadOffline is load for a command that calls nobody: what a store needs may be
// missing, and variables that are not set, such as the secrets of another machine, are
// stood in for, and standard error names them.
func (p *Program) loadOffline(file string) (*configs.Config, error) {
	_, faults := read.File(file, p.Getenv)
	stood := map[string]string{}
	for _, f := range faults {
		if f.Unset {
			for _, m := range unsetName.FindAllStringSubmatch(f.Message, -1) {
				stood[m[1]] = standIn(f.Path, m[1])
			}
		}
	}
	// Every other fault is found again, so that none is hidden.
	config, faults := withoutStore(file, func(name string) (string, bool) {
		if value, missing := stood[name]; missing {
			return value, true
		}
		return p.Getenv(name)
	})
	if p.Report(faults) > 0 {
		return nil, ErrRefused
	}
	if len(stood) > 0 {
		names := []string{}
		for name := range stood {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintf(p.Stderr, "note: not set, and not needed here: %s\n", strings.Join(names, ", "))
	}
	return config, nil
}

// standIn is a value for a variable that is not set, of the kind that the key takes.
func standIn(path, name string) string {
	key := path[strings.LastIndexByte(path, '.')+1:]
	switch {
	case path == "sessions.store":
		return "memory://"
	case strings.HasPrefix(path, "sessions.keys"):
		return NewKey()
	case key == "url", strings.HasPrefix(path, "providers.") && slices.Contains([]string{"issuer", "authorization", "token", "jwks", "revocation", "end_session"}, key):
		return "https://" + strings.ToLower(strings.ReplaceAll(name, "_", "-")) + ".invalid" // RFC 2606 §2
	}
	return "unset-" + name
}
