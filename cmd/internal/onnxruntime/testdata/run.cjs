// Runs ONNX models in onnxruntime-node on one thread: NODE_PATH=… node run.cjs < JOBS
//
// A job is {model, input, columns, batch, precise, output, optimized, times}, of which model, input, output and optimized are files. Those
// of input and output hold float32, little-endian, the input's in rows of so many columns. So many rows are run at a time; precise has
// products of 8 bits by 8 computed without overflow where there is no VNNI. The graph that ONNX Runtime makes of the model is left in
// optimized. times maps batch sizes to the median microseconds of a call, which are measured; the jobs are printed with them.
const fs = require('fs'), ort = require('onnxruntime-node');

async function time(run) {
  const took = [], end = performance.now() + 400;
  for (let i = 0; i < 5; i++) await run();
  while (performance.now() < end || took.length < 10) {
    const start = performance.now();
    await run();
    took.push(performance.now() - start);
  }
  return 1000 * took.sort((a, b) => a - b)[took.length >> 1];
}

async function work(job) {
  const session = await ort.InferenceSession.create(job.model, {
    intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3, optimizedModelFilePath: job.optimized,
    extra: {session: {x64quantprecision: job.precise ? '1' : '0'}},
  });
  const bytes = fs.readFileSync(job.input), out = [];
  const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4), rows = data.length / job.columns;
  const feeds = (from, to) => ({input: new ort.Tensor('float32', data.subarray(from * job.columns, to * job.columns), [to - from, job.columns])});
  for (let from = 0; from < rows; from += job.batch) {
    const {logits} = await session.run(feeds(from, Math.min(from + job.batch, rows)));
    out.push(Buffer.from(logits.data.buffer, logits.data.byteOffset, logits.data.byteLength));
  }
  fs.writeFileSync(job.output, Buffer.concat(out));
  for (const batch in job.times) {
    const feed = feeds(0, Number(batch));
    job.times[batch] = await time(() => session.run(feed));
  }
  await session.release();
}

(async () => {
  const jobs = JSON.parse(fs.readFileSync(0));
  for (const job of jobs) await work(job);
  console.log(JSON.stringify(jobs));
})();
