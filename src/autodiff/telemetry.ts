/**
 * Switches off the telemetry of ONNX Runtime, before ONNX Runtime is loaded: import this first.
 *
 * From 1.29 on its published libraries for Linux and macOS write a device identifier and events (processor, memory, model
 * names and hashes, operators, errors) below the user's cache folder and send them to its maker unless this variable is
 * set when the library starts (microsoft/onnxruntime, pull request 27379). Nothing of a laboratory's work leaves it
 * unasked. The build for Windows hands its events to the operating system, whose own settings decide; the variable has
 * no effect there. The build for browsers has none.
 *
 * In a worker thread `process.env` is a copy that libraries do not see: there, load this package in the main thread
 * first, or set the variable outside.
 */
process.env.ORT_DISABLE_TELEMETRY = "1";
