/** Uploads with progress: `fetch` cannot tell how much has been sent. */
import type { ImageKind, Uploaded } from "../../../src/server/api.ts";
import { NoAnswer, refusalOf } from "./client.ts";
import { urlOf } from "./routes.ts";

/** @param onSent with the share that has been sent, 0 to 1 */
export function upload(
  sample: number,
  kind: ImageKind,
  files: readonly File[],
  onSent: (share: number) => void,
): Promise<readonly Uploaded[]> {
  const form = new FormData();
  form.append("kind", kind);
  for (const file of files) form.append("files", file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", urlOf("uploadImages", { params: { sample } }));
    request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0);
    request.onerror = () => reject(new NoAnswer("no answer"));
    request.onload = async () => {
      const read = () => JSON.parse(request.responseText);
      if (request.status >= 400) reject(await refusalOf(request.status, read));
      else resolve((read() as { files: Uploaded[] }).files);
    };
    request.send(form);
  });
}

/** Files in parts that one request may hold. */
export function inParts<T>(files: readonly T[], most: number): T[][] {
  const parts: T[][] = [];
  for (let i = 0; i < files.length; i += most) parts.push(files.slice(i, i + most));
  return parts;
}
