package apikey_test

import (
	"testing"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/credential"
)

// BenchmarkFind: a right and a wrong key in a table of a thousand.
func BenchmarkFind(b *testing.B) {
	table := apikey.NewTable(&apikey.Memory{}, time.Hour, apikey.Events{})
	var last apikey.Key
	for range 1000 {
		k, _, err := table.Issue(b.Context(), "excel", "", 0)
		if err != nil {
			b.Fatal(err)
		}
		last = k
	}
	for name, presented := range map[string]credential.Secret{"right": last.Secret, "wrong": apikey.New().Secret} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = table.Find(b.Context(), presented)
			}
		})
	}
}
