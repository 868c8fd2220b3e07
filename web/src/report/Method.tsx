import type { SampleReport } from "../../../src/server/api.ts";
import { bytesInWords, plural, timeInWords } from "../numbers/format.ts";

/** With what it was made: images, networks, settings, and the end of the log. */
export function Method({ report }: { report: SampleReport }) {
  const { calibration } = report.sample;
  const carried = new Map(report.models.map(({ analyser, heads }) => [analyser.model, heads]));
  return (
    <section>
      <h2>Images and method</h2>
      {calibration && (
        <p>
          Calibration: {calibration.umPerPx === null ? "not known" : `${calibration.umPerPx} µm per pixel`},{" "}
          {calibration.method}
          {calibration.detail && ` (${calibration.detail})`}, by {calibration.reader.name},{" "}
          {timeInWords(calibration.at)}.
        </p>
      )}
      {report.analysers.map((analyser) => (
        <dl key={`${analyser.model} ${analyser.detector}`} className="hashes">
          <Row name="Analysed by">{analyser.program}</Row>
          <Row name="Model">
            {analyser.model}
            {analyser.adapted &&
              `, learned from ${analyser.adapted.heads} heads that were reviewed here; before: ${analyser.adapted.base}`}
          </Row>
          {carried.has(analyser.model) && (
            <Row name="Opinions">{plural(carried.get(analyser.model)!, "head")} of this sample</Row>
          )}
          <Row name="Detector">{analyser.detector}</Row>
          <Row name="Licence">{analyser.licence}</Row>
        </dl>
      ))}
      <dl className="hashes">
        {Object.entries(report.settings).map(([name, value]) => (
          <Row key={name} name={name}>
            {typeof value === "string" ? value : JSON.stringify(value)}
          </Row>
        ))}
        <Row name="Log">
          {report.log.rows} rows, newest {report.log.hash}
        </Row>
      </dl>
      <table className="figures files">
        <thead>
          <tr>
            <th scope="col">Image</th>
            <th scope="col">Kind</th>
            <th scope="col">Pixels</th>
            <th scope="col">Size</th>
            <th scope="col">Heads</th>
            <th scope="col">SHA-256</th>
          </tr>
        </thead>
        <tbody>
          {report.images.map((image) => (
            <tr key={image.id}>
              <th scope="row">{image.name}</th>
              <td>{image.kind}</td>
              <td>
                {image.width} × {image.height}
              </td>
              <td>{bytesInWords(image.bytes)}</td>
              <td>{image.state === "done" ? image.heads : image.state}</td>
              <td className="hash" title={image.sha256}>
                {image.sha256.slice(0, 16)}…
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Row({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
