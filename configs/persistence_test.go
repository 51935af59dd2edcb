package configs_test

import (
	"strings"
	"testing"

	"coatcheck/configs"
	"coatcheck/configs/read"
)

// TestPersistence: the cookie outlives the browser always, never, or as a boolean field says.
func TestPersistence(t *testing.T) {
	const file = `
sessions: {store: "redis://localhost", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api:
    url: https://api.example.net
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      answers: [{at: /mfa, step: code}]
      credential: {access_token: /token}
      user: {at: /user}
      steps: {code: {fields: [code, "later?: bool"], keep: {m: /mfa}, request: {path: /code, body: {m: "{m}", c: "{code}"}}}}
    ways: {sign_up: {fields: [email, password, "keep_me: bool"], request: {path: /new, body: {e: "{email}", p: "{password}"}}}}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    cookie: {persistent: VALUE}
    login: {upstream: api, fields: [email, password, "remember?: bool", "pin?: number", "text?"], ways: [sign_up]}
    routes: [{path: /api/, upstream: api}]
`
	environment := map[string]string{"YES": "true", "NO": "False", "NAME": "remember", "BAD": "nobody", "EMPTY": ""}
	getenv := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
	field := func(name string) configs.Persistence { return configs.Persistence{Field: name} }
	for value, want := range map[string]any{
		"true": configs.Persistence{Always: true}, "false": configs.Persistence{}, `"${YES}"`: configs.Persistence{Always: true}, `"${NO}"`: configs.Persistence{},
		"remember": field("remember"), `"remember"`: field("remember"), `"${NAME}"`: field("remember"), "later": field("later"), "keep_me": field("keep_me"),
		"yes": "true or false", `"true"`: "true or false", "off": "true or false", "1": "true or false", "[remember]": "true or false", "~": "true or false", `""`: "must not be empty", `"${EMPTY}"`: "must not be empty",
		"rember": "nor a sign-in field", `"${BAD}"`: "nor a sign-in field", "remember?": "nor a sign-in field", "text": "must be a boolean", "pin": "must be a boolean", "email": "must be a boolean",
	} {
		c, faults := read.Text("t.yaml", []byte(strings.Replace(file, "VALUE", value, 1)), getenv, nil)
		var said []string
		for _, f := range faults {
			if !f.Warning || strings.HasPrefix(f.Path, "frontends.shop.login.fields[2]") && want == field("remember") {
				said = append(said, f.String())
			}
		}
		all := strings.Join(said, "\n")
		switch want := want.(type) {
		case configs.Persistence:
			if all != "" || c == nil || c.Frontends["shop"].Cookie.Persistent != want {
				t.Errorf("%s: %v %q", value, c != nil, all)
			}
		case string:
			if !strings.Contains(all, want) || strings.Contains(all, "nobody") {
				t.Errorf("%s: %q, want %q", value, all, want)
			}
		}
	}
}
