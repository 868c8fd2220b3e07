import { useRef } from "react";
import type { ImageRecord } from "../../../src/server/api.ts";
import { urlOf } from "../api/routes.ts";

/** The server's widths; `full` is the image's own. */
const WIDTHS = [1024, 2048, 4096] as const;

/** An image as large as it is, in as fine a picture as the screen can show of it. */
export function ServerImage({ image, scale }: { image: ImageRecord; scale: number }) {
  const finest = useRef(0);
  const needed = Math.min(image.width, image.width * scale * devicePixelRatio);
  finest.current = Math.max(finest.current, needed);
  const enough = WIDTHS.find((width) => width >= finest.current && width < image.width);
  const width = enough === undefined ? "full" : (String(enough) as "1024" | "2048" | "4096");
  const src = urlOf("pixels", { params: { image: image.id }, query: { width } });
  return <img src={src} width={image.width} height={image.height} alt={image.name} draggable={false} />;
}
