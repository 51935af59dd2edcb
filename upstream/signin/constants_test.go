package signin_test

import (
	"strings"
	"testing"
)

// Constants of a body go out as the file has them: a number that JSON writes in the same
// way is one, digit for digit, and what only YAML reads as a number is text.
func TestConstantsAreSentAsWritten(t *testing.T) {
	const body = `{a: 0123456, b: 1.10, c: 0x1F, d: 1_000, e: 12, f: 1.5, g: -3, h: "5", i: 1.0, j: [007, {k: 0o17}], l: true, m: 1e3, n: 98765432109876543210}`
	for encoding, want := range map[string]string{
		"json": `{"a":"0123456","b":1.10,"c":"0x1F","d":"1_000","e":12,"f":1.5,"g":-3,"h":"5","i":1.0,"j":["007",{"k":"0o17"}],"l":true,"m":"1e3","n":"98765432109876543210"}`,
		"form": `a=0123456&b=1.10&c=0x1F&d=1_000&e=12&f=1.5&g=-3&h=5&i=1.0&l=true&m=1e3&n=98765432109876543210`,
	} {
		t.Run(encoding, func(t *testing.T) {
			constants := body
			if encoding == "form" {
				constants = strings.Replace(body, "j: [007, {k: 0o17}], ", "", 1)
			}
			text := strings.Replace(plain, `body: {email: "{email}", password: "{password}"}`, "encoding: "+encoding+", body: "+constants, 1)
			u, api := oneAPI(t, text, reply{status: 200, body: `{"token":"a"}`})
			if _, err := signIn(u); err != nil {
				t.Fatal(err)
			}
			if got := string(api.questions()[0].body); got != want {
				t.Errorf("sent %s\nwant %s", got, want)
			}
		})
	}
}
