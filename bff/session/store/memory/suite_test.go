package memory_test

import (
	"testing"

	"coatcheck/bff/session/store/storetest"
)

func TestSuite(t *testing.T) { storetest.Run(t, storetest.Memory(t).Open) }
