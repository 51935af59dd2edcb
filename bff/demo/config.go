package demo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/command"
	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/configs/read"
	"coatcheck/upstream/mapping"
)

// configure is the demo's configuration. Its faults are reported.
func configure(p *command.Program, o Options, values map[string]string) (*configs.Config, error) {
	getenv := environment(p.Getenv, o.Store, values)
	config, faults := read.Text("demo.yaml", configs.Demo(), getenv, nil)
	if p.Report(faults) > 0 {
		return nil, command.ErrRefused
	}
	if o.API != "" {
		if err := standIn(config, o.API, getenv); err != nil {
			return nil, command.Failed(err)
		}
	}
	return config, nil
}

// standIn puts the ready-made mapping of an API in the place of the demo's own, with
// all its hosts at the demo's API and with the fields of the demo's pages.
func standIn(config *configs.Config, api string, getenv func(string) (string, bool)) error {
	text, ok := configs.API(api)
	if !ok {
		return fmt.Errorf("no ready-made configuration is named %s", api)
	}
	file := api + ".yaml"
	ready, faults := read.Text(file, text, getenv, nil)
	if configs.Refused(faults) {
		return fmt.Errorf("%s has faults: %v", file, faults)
	}
	own := ready.Upstreams[api]
	if own == nil || own.Login == nil {
		return errors.New(file + " has no upstream of its name where people sign in")
	}
	delete(ready.Upstreams, api)
	ready.Upstreams["api"] = own
	config.Upstreams = ready.Upstreams
	renameField(own.Login.Request, "username", "email")
	allByForm(config)
	if asksWithPassword(ready, "otp?") {
		for _, f := range config.Frontends {
			f.Login.Fields = append(slices.Clone(f.Login.Fields), "otp?")
		}
	}
	return nil
}

// allByForm has everybody sign in at the API, and no programs call: tokens that it did not
// make would mean nothing to an API that stands in for another.
func allByForm(config *configs.Config) {
	config.Providers, config.Callers = nil, nil
	delete(config.Frontends, "programs")
	for _, f := range config.Frontends {
		f.Routes = slices.DeleteFunc(f.Routes, func(r *configs.Route) bool { return len(r.Callers) > 0 })
		if f.Login.Provider != nil {
			f.Login.Provider, f.Login.Fields, f.Login.Expose = nil, []string{"email", "password"}, []string{"id", "email", "name"}
		}
	}
}

// asksWithPassword reports whether a field belongs to the first form of a sign-in.
func asksWithPassword(config *configs.Config, field string) bool {
	for _, f := range config.Frontends {
		if slices.Contains(f.Login.Fields, field) {
			return true
		}
	}
	return false
}

// renameField makes a request take a sign-in field by another name.
func renameField(r *mapping.Request, from, to string) {
	from, to = "{"+from+"}", "{"+to+"}"
	rename := func(t mapping.Template) mapping.Template {
		return mapping.Template{Secret: credential.NewSecret(strings.ReplaceAll(t.Reveal(), from, to))}
	}
	for i := range r.Basic {
		r.Basic[i] = rename(r.Basic[i])
	}
	for _, templates := range []map[string]mapping.Template{r.Query, r.Headers} {
		for name, t := range templates {
			templates[name] = rename(t)
		}
	}
	if body, ok := r.Body.Value(); ok {
		r.Body = mapping.NewBody(renamedIn(body, from, to))
	}
}

// renamedIn is a body with text replaced where that is all of a string.
func renamedIn(value any, from, to string) any {
	switch v := value.(type) {
	case string:
		if v == from {
			return to
		}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = renamedIn(v[i], from, to)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for name := range v {
			object[name] = renamedIn(v[name], from, to)
		}
		return object
	}
	return value
}

// environment has the variables of configs/demo.yaml and of the ready-made
// configurations, before those of the process.
func environment(getenv func(string) (string, bool), store string, own map[string]string) func(string) (string, bool) {
	api := own["DEMO_API"]
	values := map[string]string{"DEMO_STORE": store,
		"API_URL": api, "IDP_URL": api, "TOKEN_URL": api, "REDIS_URL": "memory://",
		"API_CLIENT_ID": "demo", "API_CLIENT_SECRET": "demo", "API_AUDIENCE": "https://api.example.net", "API_KEY": "demo"}
	for _, name := range []string{"DEMO_KEY", "DEMO_ADMIN_TOKEN", "COATCHECK_KEY"} {
		values[name] = command.NewKey()
	}
	maps.Copy(values, own)
	return func(name string) (string, bool) {
		if v, ok := values[name]; ok {
			return v, true
		}
		return getenv(name)
	}
}
