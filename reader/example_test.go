package reader_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/mlxp/mlxp/reader"
)

// The runs that match a condition, one after another.
func ExampleLog_Runs() {
	logs, err := reader.Open("testdata/logs")
	if err != nil {
		log.Fatal(err)
	}
	for run, err := range logs.Runs(context.Background(), `config.model.units == 2 && config.optimizer.lr == 1.0`, nil) {
		if err != nil {
			log.Fatal(err)
		}
		loss := run.Metric("train.loss")
		fmt.Println(run.ID(), run.Status(), loss.Len(), loss.At(loss.Len()-1))
	}
	// Output:
	// 4 COMPLETE 5 0.055
	// 5 COMPLETE 5 0.06
	// 6 COMPLETE 5 0.065
}

// Columns of runs, sorted.
func ExampleLog_Query() {
	logs, err := reader.Open("testdata/logs")
	if err != nil {
		log.Fatal(err)
	}
	table, err := logs.Query(context.Background(), reader.Query{
		Where:  `info.status == "COMPLETE"`,
		Fields: []string{"config.optimizer.lr", "best=metrics.test.loss.min()"},
		Sort:   []string{"best"},
		Limit:  3,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range table.Rows {
		fmt.Println(row.Values...)
	}
	// Output:
	// 16 1 0.034375
	// 17 1 0.0375
	// 18 1 0.040625
}

// Groups of runs, with aggregates over each.
func ExampleLog_Query_groups() {
	logs, err := reader.Open("testdata/logs")
	if err != nil {
		log.Fatal(err)
	}
	table, err := logs.Query(context.Background(), reader.Query{
		Where: `id <= 18`,
		Group: []string{"config.model.units", "config.optimizer.lr"},
		Best:  "mean(metrics.train.loss.last())",
		Per:   []string{"config.model.units"},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := table.Write(os.Stdout, reader.FormCSV, reader.Style{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// config.model.units,config.optimizer.lr,n,mixed_code,mean(metrics.train.loss.last())
	// 2,1.0,3,false,0.06
	// 3,10.0,3,false,0.04
	// 4,1.0,3,false,0.03
}
