/** A colour per class that colour-blind people tell apart (Okabe and Ito 2008), with a name for it. */

export interface Colour {
  readonly name: string;
  readonly rgb: readonly [number, number, number];
}

/** Their black is left out: nuclei are nearly black. The order keeps the most different first. */
const PALETTE: readonly Colour[] = [
  { name: "blue", rgb: [0, 114, 178] },
  { name: "orange", rgb: [230, 159, 0] },
  { name: "bluish green", rgb: [0, 158, 115] },
  { name: "vermilion", rgb: [213, 94, 0] },
  { name: "sky blue", rgb: [86, 180, 233] },
  { name: "reddish purple", rgb: [204, 121, 167] },
  { name: "yellow", rgb: [240, 228, 66] },
];

/** Of what is not counted. */
export const GREY: Colour = { name: "grey", rgb: [60, 60, 60] };

/** Of the class with this index; from the eighth on they repeat. */
export function colourOf(label: number | undefined): Colour {
  return label === undefined ? GREY : PALETTE[label % PALETTE.length]!;
}
