package file_test

import (
	"testing"

	"coatcheck/bff/session/store/storetest"
)

func TestSuite(t *testing.T) { storetest.Run(t, storetest.File(t).Open) }
