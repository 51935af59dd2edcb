package check

import (
	"maps"
	"slices"

	"coatcheck/configs"
)

// neighbours are frontends by what they may share, so that thousands of them need not be
// compared each with each.
type neighbours struct{ byHost, byThrottle map[string][]string }

func newNeighbours() neighbours {
	return neighbours{map[string][]string{}, map[string][]string{}}
}

// join adds a frontend, and returns those that share a host or counts with it, by name.
func (n neighbours) join(name string, f *configs.Frontend) []string {
	found := map[string]bool{}
	share := func(by map[string][]string, key string) {
		for _, other := range by[key] {
			found[other] = true
		}
		by[key] = append(by[key], name)
	}
	for _, host := range f.Hosts() {
		share(n.byHost, host)
	}
	if f.SharedThrottle != "" {
		share(n.byThrottle, f.SharedThrottle)
	}
	delete(found, name)
	return slices.Sorted(maps.Keys(found))
}
