/** The model that comes with the program: models/hushem.onnx, described in models/hushem.md. */
import { fileURLToPath } from "node:url";

export const BUNDLED_MODEL = fileURLToPath(new URL("../../models/hushem.onnx", import.meta.url));
