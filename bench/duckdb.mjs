// Executes one query with DuckDB, in a database of its own, and prints how long
// that took and what came of it: node duckdb.mjs PACKAGE SQL
const [module, sql] = process.argv.slice(-2)
const { DuckDBInstance } = await import(module)
const start = process.hrtime.bigint()
const instance = await DuckDBInstance.create(':memory:')
const connection = await instance.connect()
const reader = await connection.runAndReadAll(sql)
const rows = reader.getRowObjectsJson()
const milliseconds = Number(process.hrtime.bigint() - start) / 1e6
console.log(JSON.stringify({ milliseconds, rows }))
