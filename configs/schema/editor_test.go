package schema_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"coatcheck/configs"
)

// An editor that knows the schema must say the same as the program, as far as a
// schema can tell.

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(configs.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("coatcheck.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("coatcheck.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func document(t *testing.T, content string) any {
	t.Helper()
	var doc any
	if err := yaml.Unmarshal([]byte(content), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSchemaAcceptsShippedFiles(t *testing.T) {
	schema := compiled(t)
	for _, file := range shipped(t) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document(t, string(content))); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestSchemaRefusesBadFiles(t *testing.T) {
	schema := compiled(t)
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(content), "# schema: refuses\n") {
			continue // what is wrong there takes more than a schema to see
		}
		refused++
		if schema.Validate(document(t, string(content))) == nil {
			t.Errorf("the schema accepts %s", file)
		}
	}
	if refused < 6 {
		t.Errorf("only %d bad files are for the schema", refused)
	}
}

// Each change to a good file is seen by both.
func TestSchemaAndLoaderAgree(t *testing.T) {
	schema := compiled(t)
	for _, c := range []struct {
		what, old, new string
		good           bool
	}{
		{"nothing", "", "", true},
		{"a variable for a number", "max_per_person: 0", `max_per_person: "${N:-3}"`, true},
		{"a variable for a duration", "near_cache: 1s", `near_cache: ${N:-2s}`, true},
		{"a variable for a boolean", "persistent: false", `persistent: "${B:-true}"`, true},
		{"a variable for a word", "same_site: strict", `same_site: "${B:-lax}"`, true},
		{"a variable for a size", "max_body: 32MiB", `max_body: "${B:-1KiB}"`, true},
		{"a size in bytes", "max_body: 32MiB", `max_body: 0`, true},
		{"a place in a header", "access_token: /access_token", `access_token: {header: X-Token, follow: true}`, true},
		{"a number as a header", "{X: y}", `{X: 1}`, true},
		{"an unknown key", "near_cache: 1s", "near_cach: 1s", false},
		{"another spelling", "    send:  ", "    send:\n      cookies: {sid: \"{access_token}\"}\n      #  ", true},
		{"a wrong word", "same_site: strict", "same_site: none", false},
		{"a number without unit", "near_cache: 1s", "near_cache: 1", false},
		{"a text for a boolean", "persistent: false", "persistent: \"no\"", false},
		{"a mapping for a list", "fields: [email, password]", "fields: {email: 1}", false},
		{"no store", "store: ${REDIS_URL}", "# no store", false},
		{"two places at once", "access_token: /access_token", `access_token: {header: X, cookie: y}`, false},
		{"a place that is no pointer", "access_token: /access_token", `access_token: token`, false},
		{"a status that is none", "status: 403", `status: 4030`, false},
		{"an empty list", "fields: [email, password]", "fields: []", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			content := strings.Replace(example(t), c.old, c.new, 1)
			if c.old != "" && content == example(t) {
				t.Fatalf("%q is not in example.yaml", c.old)
			}
			err := schema.Validate(document(t, content))
			if (err == nil) != c.good {
				t.Errorf("schema: %v", err)
			}
			if _, faults := parse(content, nil); configs.Refused(faults) == c.good {
				t.Errorf("loader: %v", faults)
			}
		})
	}
}
