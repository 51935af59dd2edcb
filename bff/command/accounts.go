package command

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"coatcheck/configs"
)

// printAccounts says of accounts that sign in where their tokens are, where that is not
// a store that replicas share.
func printAccounts(out io.Writer, config *configs.Config) {
	if config.Source.Has("sessions") {
		return
	}
	for _, upstream := range slices.Sorted(maps.Keys(config.Upstreams)) {
		accounts := config.Upstreams[upstream].Accounts
		for _, name := range slices.Sorted(maps.Keys(accounts)) {
			if accounts[name].Credential == nil {
				fmt.Fprintf(out, "upstreams.%s.accounts.%s: each process signs in by itself; replicas that share a token need sessions: {store: …, keys: […]}\n", upstream, name)
			}
		}
	}
}
