/**
 * Every op against central differences, and where there is one against a loop in double precision, over drawn shapes.
 * The ops are in tables by kind, testing/cases-*.ts; none can be forgotten. For a longer search:
 * `ANDROSCOPE_TEST_RUNS=20 ANDROSCOPE_TEST_SEED=7 npm test -- src/autodiff/gradients.test.ts`.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import * as autodiff from "./index.ts";
import { blockCases } from "./testing/cases-blocks.ts";
import { elementwiseCases } from "./testing/cases-elementwise.ts";
import { imageCases } from "./testing/cases-images.ts";
import { layerCases } from "./testing/cases-layers.ts";
import { lossCases } from "./testing/cases-losses.ts";
import { tensorCases } from "./testing/cases-tensors.ts";
import { checkGradients } from "./testing/differences.ts";
import { drawn } from "./testing/properties.ts";

const { constant, grad, InferenceRunner, input, mul, ShapeError, stopGradient, sum, variable } = autodiff;

const CASES = [...elementwiseCases, ...tensorCases, ...imageCases, ...layerCases, ...lossCases, ...blockCases];

describe("values and gradients over drawn shapes", () => {
  for (const [i, { ops, runs, parameters, make }] of CASES.entries()) {
    test(`${ops.join(", ")} (${i})`, async () => {
      const property = fc.asyncProperty(parameters, fc.nat(), async (drawnParameters, seed) => {
        await checkGradients(make(drawnParameters), Random.seeded(seed).stream("gradients"));
      });
      await fc.assert(property, drawn(runs));
    });
  }
});

/** Exports that carry no gradient, and why none is to be tested. */
const WITHOUT_GRADIENT = {
  "constant almost everywhere": [
    "argMax",
    "equal",
    "greater",
    "greaterOrEqual",
    "less",
    "lessOrEqual",
    "sign",
    "isPositive",
  ],
  "another type": ["cast"],
  "gradients stop here, on purpose": ["stopGradient", "untracked"],
  "refuses to be differentiated": ["gridSample", "gridSamplePlanes"],
  "leaves, and what reads shapes": ["canvasSizeOf", "constant", "input", "ints", "variable"],
  "makes nodes, or walks them": [
    "asTensor",
    "broadcastShape",
    "differentiable",
    "emit",
    "operands",
    "topologicalOrder",
  ],
  "what it runs on": [
    "channelBlock",
    "usesBlocks",
    "providerOptions",
    "devicePackage",
    "missingFromPackage",
    "judgeTrial",
    "tryDevice",
    "fastest",
    "DEVICES",
    "DEVICE_TOLERANCE",
  ],
  "shapes and codes": ["DTYPE_CODES", "showShape", "sizeOf"],
  "first values": ["heNormal", "normal", "ones", "uniform", "zeros"],
  "parameters and training": [
    "Scope",
    "StateLayout",
    "TrainingSession",
    "trainingStep",
    "parseState",
    "serializeState",
  ],
  "models and their running": ["InferenceRunner", "compile", "compileLoop", "readModel", "readModelMetadata"],
  "changing a finished model": ["linearLayer", "withLinearLayer"],
  errors: ["FormatError", "ShapeError"],
};

test("every export is differentiated above, or said to have no gradient", () => {
  const without = Object.values(WITHOUT_GRADIENT).flat();
  const tested = new Set(CASES.flatMap(({ ops }) => ops));
  expect(without.filter((name) => tested.has(name))).toEqual([]);
  expect(new Set([...without, ...tested])).toEqual(new Set(Object.keys(autodiff)));
});

describe("where no gradient flows", () => {
  test("through stopGradient", async () => {
    const x = variable("x", [2]);
    const [g] = grad(sum(mul(x, stopGradient(x))), [x]);
    const runner = await InferenceRunner.create({ g: g! });
    expect([...((await runner.run({ x: Float32Array.of(3, -2) })).g!.data as Float32Array)]).toEqual([3, -2]);
    runner.dispose();
  });

  test("to what the loss does not depend on: zero", async () => {
    const [x, other] = [variable("x", [2]), variable("other", [2, 3])];
    const [g] = grad(sum(x), [other]);
    const runner = await InferenceRunner.create({ g: g! });
    expect([...((await runner.run({})).g!.data as Float32Array)]).toEqual([0, 0, 0, 0, 0, 0]);
    runner.dispose();
  });

  test("through sampling, or ONNX's convolution: refused instead of dropped", () => {
    const x = variable("x", [1, 4, 4, 2]);
    expect(() => autodiff.gridSample(x, input("grid", [1, 2, 2, 2]))).toThrow(ShapeError);
    const theta = variable("theta", [1, 2, 3]);
    expect(() => autodiff.gridSample(input("image", [1, 4, 4, 2]), autodiff.affineGrid(theta, 2, 2))).toThrow(
      ShapeError,
    );
    expect(() => autodiff.conv2d(x, constant(1, [3, 3, 2, 1]), { lowering: "conv" })).toThrow(ShapeError);
    expect(() => grad(x, [x])).toThrow(ShapeError);
  });
});
