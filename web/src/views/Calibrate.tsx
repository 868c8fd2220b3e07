import { type FormEvent, useRef, useState } from "react";
import { ask, inWords } from "../api/client.ts";
import { Dialog } from "../components/Dialog.tsx";
import { distance, type Point } from "../geometry/outline.ts";
import type { Size } from "../geometry/view.ts";
import { say } from "../state/announce.ts";
import { useSample } from "../state/sample.ts";
import { actOf } from "../state/session.ts";
import { MicrometerLine, type MicrometerPicture } from "./MicrometerLine.tsx";

const METHODS = {
  "stage-micrometer": "Stage micrometer",
  "scale-bar": "Scale bar in the image",
  objective: "From objective and camera",
  file: "From the file",
  other: "Other",
} as const;

/** µm per pixel, from a line of known length drawn on an image, or typed. */
export function Calibrate({ onClose }: { onClose: () => void }) {
  const { sample, images, reader, reload } = useSample();
  const [picture, setPicture] = useState<MicrometerPicture | undefined>();
  const [ends, setEnds] = useState<readonly [Point, Point]>([
    [0, 0],
    [0, 0],
  ]);
  const [micrometres, setMicrometres] = useState("100");
  const [factor, setFactor] = useState(sample.umPerPx === null ? "" : String(sample.umPerPx));
  const [method, setMethod] = useState<keyof typeof METHODS>("stage-micrometer");
  const [detail, setDetail] = useState("");
  const [failure, setFailure] = useState("");
  const file = useRef<HTMLInputElement>(null);

  const lineUp = (next: readonly [Point, Point], length = micrometres) => {
    setEnds(next);
    const [px, um] = [distance(...next), Number(length)];
    if (!(px > 0 && um > 0)) return;
    setFactor(String(Number((um / px).toPrecision(6))));
    setDetail(`${um} µm are ${px.toFixed(1)} px in ${picture?.name ?? "an image"}`);
  };
  const show = (next: MicrometerPicture) => {
    const { width, height } = next.size;
    setPicture(next);
    setEnds([
      [width * 0.25, height / 2],
      [width * 0.75, height / 2],
    ]);
    setMethod("stage-micrometer");
  };
  const openFile = async (chosen: File | undefined) => {
    if (!chosen) return;
    try {
      const bitmap = await createImageBitmap(chosen);
      show({ name: chosen.name, size: sizeOf(bitmap), bitmap });
    } catch {
      setFailure(`This browser cannot show ${chosen.name}. Add it to a sample instead and choose it here.`);
    }
  };
  const umPerPx = factor.trim() === "" ? null : Number(factor.replace(",", "."));
  const isUsable = umPerPx === null || (umPerPx > 0 && umPerPx <= 100);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (!isUsable) return;
    try {
      const body = { ...actOf(reader), umPerPx, method, detail };
      await ask("calibrate", { params: { sample: sample.id }, body });
      say(umPerPx === null ? "The calibration is not known." : `${umPerPx} µm per pixel.`);
      reload();
      onClose();
    } catch (cause) {
      setFailure(inWords(cause));
    }
  };

  return (
    <Dialog title="Calibrate" onClose={onClose} wide>
      <div className="calibrate">
        <div>
          <div className="line">
            <button type="button" onClick={() => file.current!.click()}>
              Image of a stage micrometer …
            </button>
            <input
              ref={file}
              type="file"
              hidden
              accept=".png,.jpg,.jpeg,.bmp,.webp"
              aria-label="Image of a stage micrometer"
              onChange={(event) => void openFile(event.target.files?.[0])}
            />
            {images.length > 0 && (
              <label className="choice">
                or of this sample
                <select
                  value=""
                  onChange={(event) => {
                    const image = images.find(({ id }) => id === Number(event.target.value));
                    if (image) show({ name: image.name, size: sizeOf(image), image });
                  }}
                >
                  <option value="">–</option>
                  {images.map(({ id, name }) => (
                    <option key={id} value={id}>
                      {name}
                    </option>
                  ))}
                </select>
              </label>
            )}
          </div>
          {picture ? (
            <MicrometerLine picture={picture} ends={ends} onEnds={lineUp} />
          ) : (
            <p className="empty">
              Photograph a stage micrometer with the same objective and camera, open the image here and lay the line
              over a known length; the file stays in this browser. Or type the factor.
            </p>
          )}
        </div>
        <form onSubmit={(event) => void save(event)}>
          {picture && (
            <label>
              The line is so many µm long
              <input
                inputMode="decimal"
                value={micrometres}
                onChange={(event) => {
                  setMicrometres(event.target.value);
                  lineUp(ends, event.target.value);
                }}
              />
            </label>
          )}
          <label>
            µm per pixel
            <input
              inputMode="decimal"
              value={factor}
              placeholder="not known"
              onChange={(event) => setFactor(event.target.value)}
            />
          </label>
          <label>
            How it was found out
            <select value={method} onChange={(event) => setMethod(event.target.value as keyof typeof METHODS)}>
              {Object.entries(METHODS).map(([key, text]) => (
                <option key={key} value={key}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <label>
            Detail
            <textarea rows={3} value={detail} maxLength={1000} onChange={(event) => setDetail(event.target.value)} />
          </label>
          {!isUsable && <p className="trouble">A number above 0, at most 100.</p>}
          {failure && (
            <p role="alert" className="trouble">
              {failure}
            </p>
          )}
          <button type="submit" className="main" disabled={!isUsable}>
            Save
          </button>
        </form>
      </div>
    </Dialog>
  );
}

const sizeOf = ({ width, height }: Size): Size => ({ width, height });
