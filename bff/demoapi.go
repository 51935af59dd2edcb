package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/upstream/demo"
)

// demoConfig is the demo's configuration, with the ready-made mapping of api in
// place of its own; "" leaves it as it is.
func demoConfig(api string) ([]byte, error) {
	if api == "" {
		return configs.Demo(), nil
	}
	if !slices.Contains(demo.Speaks(), api) {
		return nil, fmt.Errorf("the demo cannot answer as %q; it can as %s", api, strings.Join(demo.Speaks(), ", "))
	}
	mapping, err := mappingOf(api)
	if err != nil {
		return nil, failure{err}
	}
	before, rest, _ := strings.Cut(string(configs.Demo()), "upstreams:\n")
	_, after, found := strings.Cut(rest, "\nfrontends:\n")
	if !found {
		return nil, failure{fmt.Errorf("demo.yaml has no upstreams before its frontends")}
	}
	if strings.Contains(mapping, `: "{otp}"`) && !strings.Contains(mapping, "steps:") {
		after = strings.ReplaceAll(after, "fields: [email, password]", `fields: [email, password, "otp?"]`)
	}
	return []byte(before + "upstreams:\n  api:\n" + mapping + "\n\nfrontends:\n" + after), nil
}

var (
	urlLine   = regexp.MustCompile(`(?m)^    url: .*$`)
	otherHost = regexp.MustCompile(`(?m)^ +upstream: .*\n|upstream: \w+, `) // the demo's API stands in for all hosts
)

// mappingOf is the upstream of a ready-made configuration, at the demo's API, with
// the demo's fields.
func mappingOf(api string) (string, error) {
	text, _ := configs.API(api)
	_, rest, found := strings.Cut(string(text), "\n  "+api+":\n")
	mapping, _, ends := strings.Cut(rest, "\n\n")
	if !found || !ends {
		return "", fmt.Errorf("%s.yaml has no upstream of its name", api)
	}
	mapping = otherHost.ReplaceAllString(mapping, "")
	return strings.ReplaceAll(urlLine.ReplaceAllString(mapping, "    url: $${DEMO_API}"), `"{username}"`, `"{email}"`), nil
}
