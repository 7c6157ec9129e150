// Executes queries with DuckDB, in a database of its own, and prints a line for
// each: how long it took and what came of it. node duckdb.mjs PACKAGE SQL...
const [module, ...queries] = process.argv.slice(process.argv.indexOf('--') + 1)
const { DuckDBInstance } = await import(module)
let start = process.hrtime.bigint()
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
for (const sql of queries) {
  const reader = await connection.runAndReadAll(sql)
  const rows = reader.getRowsJson()
  const milliseconds = Number(process.hrtime.bigint() - start) / 1e6
  console.log(JSON.stringify({ milliseconds, rows }))
  start = process.hrtime.bigint()
}
