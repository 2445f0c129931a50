// Compares versions as Maven does: reads lines `A<TAB>B`, writes `<`, `=` or `>`.
// Needs maven-artifact 3.9 on the class path; Maven 3.8 and 4 order qualifiers otherwise.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.maven.artifact.versioning.ComparableVersion;

public class Maven {
    private static int compare(String left, String right) {
        return new ComparableVersion(left).compareTo(new ComparableVersion(right));
    }

    public static void main(String[] arguments) throws Exception {
        if (compare("1.0.0.X1", "1.0.0-X2") >= 0) {
            System.err.println("this maven-artifact is not of Maven 3.9");
            System.exit(1);
        }
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream output = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] pair = line.split("\t", -1);
            output.println("<=>".charAt(Integer.signum(compare(pair[0], pair[1])) + 1));
        }
        output.flush();
    }
}
