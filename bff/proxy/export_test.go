package proxy

import (
	"errors"

	"coatcheck/bff/call"
)

// RunBroken runs a tunnel without its ends.
func RunBroken(events call.Events) error {
	t := &tunnel{faults: events}
	t.run()
	if t.code == 0 {
		return nil
	}
	return errors.New("ended")
}
