// Package configtest is what the tests of the configuration and of its schema share.
package configtest

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

// aKey is a sealing key of these tests only.
const aKey = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="

// Example is example.yaml, of the folder that the test runs in, with a header more, for what it does not show.
func Example(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(content), "body: {email:", "headers: {X: y}\n        body: {email:", 1)
}

// Parse loads a text as a file of the folder that the test runs in. vars go before
// what [Environment] knows.
func Parse(content string, vars map[string]string) (*configs.Config, []configs.Fault) {
	getenv := func(name string) (string, bool) {
		if value, ok := vars[name]; ok {
			return value, true
		}
		return Environment(name)
	}
	return read.Text("coatcheck.yaml", []byte(content), getenv, os.ReadFile)
}

// Sections lists every struct of the configuration by name.
func Sections() map[string]reflect.Type {
	found := map[string]reflect.Type{}
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(t.Elem())
		case reflect.Struct:
			if !IsOurs(t) || found[t.Name()] != nil {
				return
			}
			found[t.Name()] = t
			for i := range t.NumField() {
				visit(t.Field(i).Type)
			}
		}
	}
	visit(reflect.TypeFor[configs.Config]())
	return found
}

// IsOurs reports whether a type is one of a configuration's.
func IsOurs(t reflect.Type) bool {
	return t.PkgPath() == "coatcheck/configs" || t.PkgPath() == "coatcheck/upstream/mapping"
}

// Patient raises to a minute each limit of a question to an API or a provider that a
// configuration leaves at its default: a test that is not about time must not fail on a busy
// machine.
func Patient(c *configs.Config) {
	for _, u := range c.Upstreams {
		patient(reflect.ValueOf(u))
	}
	for _, p := range c.Providers {
		patient(reflect.ValueOf(p))
	}
}

// patient raises the defaults below v that bound a question.
func patient(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			patient(v.Elem())
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			patient(v.MapIndex(key))
		}
	case reflect.Struct:
		if !IsOurs(v.Type()) {
			return
		}
		for i := range v.NumField() {
			tag := v.Type().Field(i).Tag
			name, _, _ := strings.Cut(tag.Get("yaml"), ",")
			if (name == "timeout" || name == "connect_timeout") && fmt.Sprint(v.Field(i)) == tag.Get("default") {
				v.Field(i).SetInt(int64(time.Minute))
			}
			patient(v.Field(i))
		}
	}
}

// Environment is what an operator sets for the files that are shipped.
func Environment(name string) (string, bool) {
	value, ok := map[string]string{
		"REDIS_URL": "redis://localhost:6379/0", "COATCHECK_KEY": aKey,
		"OIDC_CLIENT_ID": "id", "OIDC_CLIENT_SECRET": "a client's secret",
		"API_KEY": "key", "API_CLIENT_ID": "id", "API_CLIENT_SECRET": "a client's secret",
		"WEBHOOK_SECRET": "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0",
		"DEMO_PORT":      "8080", "DEMO_API": "http://127.0.0.1:8090", "DEMO_KEY": aKey,
	}[name]
	return value, ok
}
